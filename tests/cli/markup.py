"""Parses Markdown: the tables, the visible text and the HTML of a comment."""

from __future__ import annotations

from typing import NamedTuple

from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark").enable("table")


class Comment(NamedTuple):
    """The visible parts of a comment: cells of tables, all text, and the HTML."""

    tables: list[list[list[str]]]
    text: str
    html: str


def parse(markdown: str) -> Comment:
    """Return the parts of a comment."""
    tables: list[list[list[str]]] = []
    texts: list[str] = []
    in_cell = False
    for token in _PARSER.parse(markdown):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in {"td_open", "th_open"}:
            in_cell = True
        elif token.type in {"td_close", "th_close"}:
            in_cell = False
        elif token.type == "inline":
            text = "".join(child.content for child in token.children or ())
            texts.append(text)
            if in_cell:
                tables[-1][-1].append(text)
        elif token.content and token.type != "html_block":
            texts.append(token.content)
    return Comment(tables, "\n".join(texts), _PARSER.render(markdown))
