"""Compares the alerts of scripts/demo with the ledger of what was put into the traffic."""
import collections
import json

Alert = collections.namedtuple("Alert", "kind data")


def show_alert(alert):
    data = alert.data
    ids = data["eventIds"].split(",")
    where = sorted(set(data.get("addresses", data.get("remoteIp", "")).split(",")))
    print(f"{data['userReadableTime']}  {alert.kind:<18} {data['tenantDomain']:<16} {data['msg']}"
          f"  [{len(ids)} events, {', '.join(where)}]", flush=True)


class Verdict:
    """Which alerts named what."""

    def __init__(self, ledger, alerts):
        self.attacks = [line for line in ledger if line["type"] == "attack"]
        self.near_misses = [line for line in ledger if line["type"] == "near-miss"]
        self.named = collections.Counter()
        self.unexplained = []
        by_event = {event: line for line in self.attacks + self.near_misses
                    for event in line["eventIds"]}
        for alert in alerts:
            events = alert.data["eventIds"].split(",")
            lines = {by_event[event]["id"]: by_event[event]
                     for event in events if event in by_event}
            for identity in lines:
                self.named[identity] += 1
            imitated = any(line["type"] == "near-miss" for line in lines.values())
            if not imitated and not self._is_named(alert, events, by_event):
                self.unexplained.append(alert)

    @staticmethod
    def _is_named(alert, events, by_event):
        """True when all the alert's events are of one attack of the alert's kind and tenant."""
        line = by_event.get(events[0])
        return (line is not None and line["type"] == "attack" and line["kind"] == alert.kind
                and alert.data["meta_tenantId"] in line["tenants"]
                and all(by_event.get(event) is line for event in events))

    def alerted_near_misses(self):
        return [line for line in self.near_misses if self.named[line["id"]]]

    def good(self):
        return (all(self.named[attack["id"]] == 1 for attack in self.attacks)
                and not self.alerted_near_misses() and not self.unexplained)


def print_verdict(verdict):
    print(f"\n{'attack':<13}{'kind':<20}{'tenant':<18}{'whom':<28}{'alerts':>6}")
    for attack in verdict.attacks:
        users, count = attack["users"], verdict.named[attack["id"]]
        whom = users[0] if len(users) == 1 else f"{len(users)} users"
        mark = "" if count == 1 else "  <-- MISSED" if count == 0 else "  <-- REPEATED"
        print(f"{attack['id']:<13}{attack['kind']:<20}{','.join(attack['tenantDomains']):<18}"
              f"{whom:<28}{count:>6}{mark}")
    print(f"\n{'near-miss':<22}{'imitates':<32}{'made':>6}{'alerted':>9}")
    kinds = sorted({line["kind"] for line in verdict.near_misses})
    for kind in kinds:
        lines = [line for line in verdict.near_misses if line["kind"] == kind]
        imitated = ", ".join(sorted({line["imitates"] for line in lines}))
        alerted = sum(1 for line in lines if verdict.named[line["id"]])
        print(f"{kind:<22}{imitated:<32}{len(lines):>6}{alerted:>9}")
    for alert in verdict.unexplained:
        print("an alert that no attack explains:", json.dumps(alert.data))
