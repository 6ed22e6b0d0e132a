"""Shows that the test of the pages' commands fails when a page lies."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import docs_commands  # noqa: E402
import markdown  # noqa: E402


class MarkdownTest(unittest.TestCase):
    def test_blocks(self):
        page = "a\n```sh run\nx\n```\n\n````text\n```\ny\n````\n```cpp file=main.cc\nz\n```\n"
        self.assertEqual([tuple(block) for block in markdown.blocks(page)],
                         [("sh run", "x\n", 2), ("text", "```\ny\n", 6),
                          ("cpp file=main.cc", "z\n", 10)])

    def test_matches(self):
        self.assertTrue(markdown.matches("a\nb\n", "a\nb\n"))
        self.assertTrue(markdown.matches("a\n...\nd\n", "a\nb\nc\nd\n"))
        self.assertTrue(markdown.matches("a\n...\n", "a\n"))
        self.assertFalse(markdown.matches("a\n", "a\nb\n"))
        self.assertFalse(markdown.matches("a.\n", "ab\n"))
        self.assertFalse(markdown.matches("a\n...\nd\n", "a\nb\n"))


class DocsCommandsTest(unittest.TestCase):
    def run_page(self, text):
        with tempfile.TemporaryDirectory() as root:
            bin_folder = os.path.join(root, "out")
            os.makedirs(bin_folder)
            os.makedirs(os.path.join(root, "conf"))
            tool = os.path.join(bin_folder, "greet")
            with open(tool, "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\necho hello $1\n")
            os.chmod(tool, 0o755)
            page = os.path.join(root, "README.md")
            with open(page, "w", encoding="utf-8") as file:
                file.write(text)
            return docs_commands.run_page(root, bin_folder, page)

    def test_true_pages_pass(self):
        page = ("```sh run\ngreet you | tee kept\n```\n```text output\nhello you\n```\n"
                "```sh run\ngrep -q hello kept\ntest -d conf\nbuild/release/bin/greet\n```\n"
                "```sh\nexit 1\n```\n")
        self.assertEqual(self.run_page(page), ([], 2))

    def test_failing_commands_are_found(self):
        for text in ["false", "false | cat", "no_such_command", "echo $no_such_variable"]:
            found, _ = self.run_page(f"\n```sh run\n{text}\n```\n")
            self.assertEqual(len(found), 1, text)
            self.assertIn("README.md:2: exit", found[0])

    def test_other_output_is_found(self):
        found, _ = self.run_page("```sh run\ngreet you\n```\n```text output\nhello\n```\n")
        self.assertEqual(len(found), 1)
        self.assertIn("README.md:4", found[0])


if __name__ == "__main__":
    unittest.main()
