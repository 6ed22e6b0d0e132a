"""What the tables must hold when the recorded logins have passed the plans, and how they are asked:
by SQL, or by `pollux query` where a store is embedded; for scripts/store-test."""
import json
import subprocess

PREFIX = "ORG_WSO2_IS_ANALYTICS_STREAM_"
EVENTS = PREFIX + "PROCESSEDOVERALLAUTHENTICATION"
ALL = ["authSuccessCount", "authFailureCount"]

FEDERATED, LOCAL = ({"identityProviderType": which} for which in ("FEDERATED", "LOCAL"))

# family of tables, what a row must be, which columns are added up, their sum
SUMS = [
    ("AUTH", FEDERATED, ALL, 11_175),
    ("AUTH", LOCAL, ALL, 3_373),
    ("USERAUTH", {"username": "Sarah", **FEDERATED}, ALL, 1_290),
    ("USERAUTH", {"username": "Rachel", **LOCAL}, ALL, 632),
    ("SPAUTH", {"serviceProvider": "Booking", **FEDERATED}, ALL, 2_060),
    ("IDPAUTH", {"identityProvider": "Google", **FEDERATED}, ALL, 5_010),
    ("ROLEAUTH", {"role": "Admin", **LOCAL}, ALL, 681),
    ("USERSTOREAUTH", {"userStoreDomain": "wso2", **LOCAL}, ["authSuccessCount"], 2_517),
    ("USERSTOREAUTH", {"userStoreDomain": "wso2", **LOCAL}, ["authFailureCount"], 856),
    *(("USERAUTH", {"username": user, **FEDERATED}, ["authSuccessCount"], count)
      for user, count in (("Sarah", 971), ("Gary", 949), ("Victor", 541), ("Laila", 515),
                          ("David", 500), ("Jessica", 499), ("Felix", 499), ("Isabelle", 493),
                          ("Elizabeth", 493), ("Celine", 492))),
    *(("SPAUTH", {"serviceProvider": provider, **FEDERATED}, ["authFirstSuccessCount"], count)
      for provider, count in (("Booking", 1_561), ("Lonely Planet", 790), ("Yahoo Travel", 790),
                              ("Trip Advisor", 788), ("JIRA", 773), ("Hotels", 744),
                              ("Priceline", 743), ("Expedia", 733), ("AirBnB", 731),
                              ("Travelocity", 728))),
]
UNITS = ("MINUTE", "HOUR", "DAY", "MONTH", "YEAR")
EVENT_ROWS = 14_549


class Sql:
    """Of a database's own client."""

    def __init__(self, database):
        self._database = database

    def _number(self, what, table, row):
        where = " AND ".join(f"{column.lower()} = '{value}'" for column, value in row.items())
        rows = self._database.ask(f"SELECT {what.lower()} FROM {table.lower()}"
                                  f"{' WHERE ' + where if where else ''};")
        return int(rows[0][0]) if rows[0][0] not in ("", "NULL") else 0

    def sum(self, table, row, columns):
        return self._number(f"sum({' + '.join(columns)})", table, row)

    def rows(self, table):
        return self._number("count(*)", table, {})


class Queries:
    """Of `pollux query`."""

    def __init__(self, member):
        self._member = member

    def _number(self, what, table, row):
        on = " and ".join(f"{column} == '{value}'" for column, value in row.items())
        text = f"from {table}{' on ' + on if on else ''} select {what} as number"
        answer = json.loads(self._member.ask("query", text, "--json"))
        return int(answer["rows"][0][0]) if answer["rows"] else 0

    def sum(self, table, row, columns):
        return self._number(f"sum({' + '.join(columns)})", table, row)

    def rows(self, table):
        return self._number("count()", table, {})


def differences(tables):
    """What is not as it must be, a line each."""
    found = []
    try:
        for unit in UNITS:
            for family, row, columns, expected in SUMS:
                table = f"{PREFIX}{family}STATPER{unit}"
                number = tables.sum(table, row, columns)
                if number != expected:
                    found.append(f"{table} {row} {'+'.join(columns)}: {number}, "
                                 f"expected {expected}")
        rows = tables.rows(EVENTS)
        if rows != EVENT_ROWS:
            found.append(f"{EVENTS}: {rows} rows, expected {EVENT_ROWS}")
    except (OSError, subprocess.CalledProcessError) as error:  # a table is not there yet
        found.append(str(error))
    return found
