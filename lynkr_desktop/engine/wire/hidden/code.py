"""Where in Markdown the text is: inside a code fence or inline code, at the start of a line. Near enough, not a whole parser."""

import re
from typing import Final

_TOKENS: Final = re.compile(r"\n|`+|~+|[^\S\n]+|[^\s`~]+")


class Code:
    """Follows a text however it is cut."""

    def __init__(self) -> None:
        self._fence = ""  # the run that opened it
        self._is_opening = False  # still on the line of that run
        self._is_closing = False  # a run that could close it, if nothing else is on the line
        self._inline = 0  # length of the run that opened inline code
        self._run = ""  # backticks or tildes that may go on
        self._is_line_blank = True

    @property
    def is_inside(self) -> bool:
        """Would another word be code?"""
        self._settle()
        return bool(self._fence or self._inline)

    @property
    def is_line_start(self) -> bool:
        """Is nothing but white space on this line so far?"""
        return self._is_line_blank and not self._run

    def see(self, text: str) -> None:
        """More of the text."""
        for word in _TOKENS.findall(text):
            if word[0] != self._run[:1]:
                self._settle()
            if word[0] in "`~":
                self._run += word
            elif word == "\n":
                self._end_line()
            elif not word.isspace():
                self._is_line_blank = self._is_closing = False

    def _end_line(self) -> None:
        if self._is_closing:
            self._fence = ""
        self._inline = 0  # a stray backtick must not hide the rest of the answer
        self._is_line_blank, self._is_opening, self._is_closing = True, False, False

    def _settle(self) -> None:
        """A run of backticks or tildes is over."""
        run, self._run = self._run, ""
        if not run:
            return
        if self._fence:
            self._is_closing = self._is_line_blank and run.startswith(self._fence)
            if self._is_opening and run[0] == "`":
                self._fence = ""  # backticks on the line of the opening run: it was inline code
        elif self._is_line_blank and len(run) >= 3:
            self._fence, self._is_opening = run, True
        elif run[0] == "`":
            self._inline = 0 if self._inline == len(run) else self._inline or len(run)
        self._is_line_blank = False
