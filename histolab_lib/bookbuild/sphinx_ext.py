"""Sphinx extension of the book: roles, the ledger, a table, repairs of the theme with the condition for their removal.

Loaded by ``_config.yml`` under ``sphinx.extra_extensions``. Seen with Jupyter Book 1.0.4, Sphinx 7.4,
sphinx-book-theme 1.3 and pydata-sphinx-theme 0.17; the browser test goes red where a repair stops working.
"""

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from histolab_lib.bookbuild import docstrings, ledger, roles, speeds
from histolab_lib.bookbuild.colab.release import BRANCH, COLAB

__all__ = [
    "complete_redirect",
    "describe_page",
    "download_under_its_name",
    "drop_thebe",
    "drop_thebe_style",
    "edit_the_text",
    "fill_missing_page_links",
    "let_figures_scroll",
    "name_buttons_by_their_text",
    "name_folds_by_their_text",
    "one_entry_a_name",
    "open_the_edition",
    "plain_citation_list",
    "setup",
    "skip_tuple_fields",
]

_DESCRIPTION_MAX = 200  # characters; search engines cut near there


def drop_thebe(app: Sphinx, _config: object = None) -> None:
    """Disconnect sphinx-thebe, which Jupyter Book loads even where ``thebe: false``.

    It writes its script twice into every page, hence an error on each console (``THEBE_JS_URL has already
    been declared``), and it names a public CDN. Remove when Jupyter Book loads it only where asked.
    """
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__.partition(".")[0] == "sphinx_thebe":
                app.disconnect(listener.id)


def drop_thebe_style(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Leave out the style sheet of sphinx-thebe, which `drop_thebe` no longer copies. Remove together with it."""
    context["css_files"] = [
        sheet for sheet in context.get("css_files", []) if "sphinx-thebe" not in str(sheet.filename)
    ]


def plain_citation_list(body: str) -> str:
    """Take the list roles off the bibliography, whose children are not list items.

    axe: ``aria-required-children``, critical. Remove when docutils writes a valid list of citations.

    Examples
    --------
    >>> plain_citation_list('<div role="list" class="citation-list">')
    '<div class="citation-list">'
    """
    body = body.replace('<div role="list" class="citation-list">', '<div class="citation-list">')
    return body.replace(' role="doc-biblioentry"', "")


def name_folds_by_their_text(body: str) -> str:
    """Let a folded cell be called what it shows ("Show code cell source"), not "Toggle hidden content".

    axe: ``label-content-name-mismatch``, serious. Remove when MyST-NB drops the ``aria-label``.

    Examples
    --------
    >>> name_folds_by_their_text('<summary aria-label="Toggle hidden content">')
    '<summary>'
    """
    return re.sub(r'(<summary\b[^>]*?)\s+aria-label="Toggle hidden content"', r"\1", body)


def let_figures_scroll(body: str) -> str:
    """Put each figure's picture into a box that can scroll, by keyboard too, so that it need not shrink on telephones.

    axe: ``scrollable-region-focusable``, serious, where a box scrolls and cannot be reached. Ours, not a repair.

    Examples
    --------
    >>> let_figures_scroll('<figure id="a"><img alt="A line" src="a.png" /><figcaption>')
    '<figure id="a"><div class="figure-box" tabindex="0"><img alt="A line" src="a.png" /></div><figcaption>'
    """
    return re.sub(r"(<figure\b[^>]*>\s*)(<img\b[^>]*>)", r'\1<div class="figure-box" tabindex="0">\2</div>', body)


def name_buttons_by_their_text(page: str) -> str:
    """Let the search and colour buttons be called what they show.

    axe: ``label-content-name-mismatch``, serious. These come from the theme's templates, so the finished page is
    repaired. Remove when the theme's ``aria-label`` holds the text that the button shows.

    Examples
    --------
    >>> name_buttons_by_their_text('<button class="btn search-button-field" title="Search" aria-label="Search">')
    '<button class="btn search-button-field" title="Search">'
    """
    for kind in ("search-button-field", "theme-switch-button"):
        page = re.sub(rf'(<button\b[^>]*\b{kind}\b[^>]*?)\s+aria-label="[^"]*"', r"\1", page)
    return page


def download_under_its_name(page: str) -> str:
    """Let the download button save the file under its own name, where the stock one opens it in a new tab.

    Remove when sphinx-book-theme writes the ``download`` attribute.

    Examples
    --------
    >>> download_under_its_name('<a href="a.ipynb" target="_blank" class="btn btn-download-source-button">')
    '<a href="a.ipynb" download class="btn btn-download-source-button">'
    """
    return re.sub(
        r'(<a href="[^"]*") target="_blank"(\s+class="[^"]*\bbtn-download-source-button\b)', r"\1 download\2", page
    )


def complete_redirect(page: str, title: str) -> str:
    """Make a page of the redirect at the site's root, which is a bare ``<meta>``: language, title, a link.

    Remove when sphinx-external-toc writes a whole page.

    Examples
    --------
    >>> bare = '<meta http-equiv="Refresh" content="0; url=book/index.html" />'
    >>> print(complete_redirect(bare, "A & B"))
    <!DOCTYPE html>
    <html lang="en">
    <head><meta charset="utf-8" /><title>A &amp; B</title>
    <meta http-equiv="Refresh" content="0; url=book/index.html" /></head>
    <body><h1>A &amp; B</h1><p><a href="book/index.html">Go to the start page</a></p></body>
    </html>
    >>> complete_redirect("<!DOCTYPE html>", "A & B")
    '<!DOCTYPE html>'
    """
    bare = re.fullmatch(r'\s*(<meta http-equiv="Refresh" content="0; url=([^"]+)" />)\s*', page)
    if bare is None:
        return page
    name = html.escape(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8" /><title>{name}</title>\n{bare[1]}</head>\n'
        f'<body><h1>{name}</h1><p><a href="{bare[2]}">Go to the start page</a></p></body>\n</html>'
    )


_BODY_REPAIRS: tuple[Callable[[str], str], ...] = (plain_citation_list, name_folds_by_their_text, let_figures_scroll)

_PAGE_REPAIRS: tuple[Callable[[str], str], ...] = (name_buttons_by_their_text, download_under_its_name)


def _repair_body(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    for repair in _BODY_REPAIRS:
        if context.get("body"):
            context["body"] = repair(context["body"])


def _repair_pages(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    for path in sorted(Path(app.outdir).rglob("*.html")):
        before = path.read_text(encoding="utf-8")
        after = complete_redirect(before, app.config.html_title)
        for repair in _PAGE_REPAIRS:
            after = repair(after)
        if after != before:
            path.write_text(after, encoding="utf-8")


def edit_the_text(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Point the edit and source buttons at the ``.md`` of a page that is built from its ``.ipynb``.

    The ``.md`` is what people edit; the notebook beside it is made from it. No condition for removal: this is a
    choice of ours, made where the theme offers no setting.
    """
    stock = context.get("get_edit_provider_and_url")
    if stock is None:
        return

    def of_the_text() -> tuple[str, str]:
        provider, url = stock()
        return provider, re.sub(r"\.ipynb(?=$|\?)", ".md", url)

    context["get_edit_provider_and_url"] = of_the_text


def open_the_edition(app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Point the Colab button at the branch of the editions; every other button keeps the branch of the sources.

    No condition for removal: the theme has one branch for all buttons, and editions are made, not edited.
    """
    source = f"/blob/{app.config.html_theme_options.get('repository_branch')}/{page}."
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("url", "").startswith(f"{COLAB}/"):
                button["url"] = button["url"].replace(source, f"/blob/{BRANCH}/{page}.")


def fill_missing_page_links(app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Replace ``{start}`` and ``{search}`` in the text of the 404 page by addresses that hold anywhere.

    The page answers at any depth, so its links must be absolute, and where the book is published is not known in
    the configuration. Remove when sphinx-notfound-page renders its context as a template.
    """
    if page == app.config.notfound_pagename and context.get("body"):
        for word, target in (("{start}", app.config.root_doc), ("{search}", "search")):
            context["body"] = context["body"].replace(word, html.escape(context["pathto"](target)))


def describe_page(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give a page without a description of its own its first paragraph as ``<meta name="description">``."""
    tags = context.get("metatags") or ""
    paragraphs = doctree.findall(lambda node: node.tagname == "paragraph") if doctree is not None else iter(())
    paragraph = next(paragraphs, None)
    if paragraph is None or 'name="description"' in tags:
        return
    text = " ".join(paragraph.astext().split())
    if len(text) > _DESCRIPTION_MAX:
        text = text[:_DESCRIPTION_MAX].rpartition(" ")[0] + " …"
    context["metatags"] = f'{tags}\n<meta name="description" content="{html.escape(text)}" />'


def one_entry_a_name(lines: list[str]) -> list[str]:
    """Give every attribute of a docstring its own entry: ``low, high : float`` documents two.

    Napoleon takes ``low`` for the type of ``high``. Remove when it splits names under Attributes as under Parameters.

    Examples
    --------
    >>> one_entry_a_name(["Attributes", "----------", "low, high : float", "    Ends."])
    ['Attributes', '----------', 'low : float', '    Ends.', 'high : float', '    Ends.']
    """
    if "Attributes" not in lines:
        return lines
    start = lines.index("Attributes") + 2
    made, rest = lines[:start], lines[start:]
    while rest and (entry := re.fullmatch(r"(\w+(?:, \w+)*)( : .*)?", rest[0])):
        end = next((i for i, line in enumerate(rest[1:], 1) if line and not line.startswith(" ")), len(rest))
        for name in entry[1].split(", "):
            made += [name + (entry[2] or ""), *rest[1:end]]
        rest = rest[end:]
    return made + rest


def _split_entries(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    lines[:] = one_entry_a_name(lines)


def skip_tuple_fields(
    _app: Sphinx, _what: str, _name: str, member: object, _skip: bool, _options: object
) -> bool | None:
    """Leave out what Python says of the fields of a named tuple, their number; their meaning stands above."""
    return True if str(getattr(member, "__doc__", "")).startswith("Alias for field number") else None


def _after_the_theme(app: Sphinx) -> None:
    """Connect `edit_the_text` after the theme's listener that it wraps, and before priority 501, where it is used.

    Themes are loaded between ``setup`` and ``builder-inited``; of one priority, who connects later is called later.
    """
    app.connect("html-page-context", edit_the_text)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Connect the repairs, the roles, the ledger and the table of speeds; Sphinx calls this."""
    roles.connect(app)
    ledger.connect(app)
    docstrings.connect(app)
    speeds.connect(app)
    app.setup_extension("notfound.extension")  # for its setting, and for its absolute addresses, made at priority 400
    app.connect("config-inited", drop_thebe)
    app.connect("builder-inited", _after_the_theme)
    app.connect("html-page-context", drop_thebe_style)
    app.connect("html-page-context", fill_missing_page_links)
    app.connect("autodoc-process-docstring", _split_entries, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", skip_tuple_fields)
    app.connect("html-page-context", _repair_body)
    app.connect("html-page-context", describe_page)
    app.connect("html-page-context", open_the_edition, priority=502)  # the theme adds its buttons at 501
    app.connect("build-finished", _repair_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
