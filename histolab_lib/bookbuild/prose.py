"""Rules for text: no score typed into prose (each comes from a run, a record or a claim), no picture without words."""

import re

__all__ = ["pictures_without_alt", "typed_numbers"]

_METRIC = re.compile(
    r"\b(dice|iou|intersection over union|jaccard|aji\+?|pq|dq|sq|panoptic quality|f1|f-?score|precision|recall"
    r"|accurac(?:y|ies)|hausdorff|hd95|loss|score[sd]?)(?![\w-])",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.])[+-]?(?:\d*\.\d+|\d+(?:\.\d+)?\s?(?:%|percent\b|points?\b))(?![\w]|\.\d)", re.IGNORECASE
)
# Code, mathematics and roles are not prose: what stands in them is an expression or comes from a lookup.
_NOT_PROSE = (
    re.compile(r"^\s*(?:`{3,}|~{3,}|:{3,})(?:\{[\w:-]+\})?", re.MULTILINE),
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"\{[\w:-]+\}`+[^`]*`+"),
    re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL),
    re.compile(r"(?<![\\$])\$[^$\n]+(?:\n[^$\n]+)*\$"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r"<!--.*?-->|^%.*?$", re.MULTILINE | re.DOTALL),
)
# Abbreviations, colons and table rows do not end a sentence: "Dice: 0.8", and a score under its column's name.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)")
_TEXT_DIRECTIVES = re.compile(r"\{(?!math|code|bibliography|glue:math|eval-rst|toctree)[\w:-]+\}")
_PICTURE = re.compile(r"!\[\s*\]\([^)]*\)|<img\b(?![^>]*\balt=[\"'][^\"'])[^>]*>", re.IGNORECASE)
_PICTURE_DIRECTIVE = re.compile(r"^\s*(`{3,}|:{3,})\{(?:image|figure)\}.*?^\s*\1\s*$", re.MULTILINE | re.DOTALL)


def typed_numbers(markdown: str) -> list[str]:
    """Return the sentences of a MyST text that put a bare decimal or percentage beside a metric's name.

    Parameters
    ----------
    markdown : str
        MyST Markdown. Code, mathematics, roles and link targets are excepted; admonitions are not.

    Examples
    --------
    >>> typed_numbers("The network reached a Dice of 0.81. It has four levels.")
    ['The network reached a Dice of 0.81.']
    >>> typed_numbers("The network reached a Dice of {glue:text}`dice:.3f`, with a threshold of $0.5$.")
    []
    """
    text = _without_fences(markdown)
    for pattern in _NOT_PROSE:
        text = pattern.sub(" ", text)
    sentences = (" ".join(part.split()) for part in _SENTENCE_END.split(text))
    return [sentence for sentence in sentences if _METRIC.search(sentence) and _NUMBER.search(sentence)]


def pictures_without_alt(markdown: str) -> list[str]:
    """Return the pictures of a MyST text that say nothing to who cannot see them, as they stand in the source.

    Parameters
    ----------
    markdown : str
        Pictures in Markdown, as ``<img>``, and as ``{image}`` or ``{figure}`` directives; code is excepted.

    Examples
    --------
    >>> pictures_without_alt("![](a.png) and ![Two nuclei that touch](b.png)")
    ['![](a.png)']
    """
    text = _without_fences(markdown)
    directives = [match[0] for match in _PICTURE_DIRECTIVE.finditer(text)]
    silent = [block.strip().splitlines()[0] for block in directives if not re.search(r"^\s*:?alt:\s*\S", block, re.M)]
    return silent + _PICTURE.findall(re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", " ", text))


def _without_fences(markdown: str) -> str:
    """Drop fenced code and mathematics, keep admonitions and figures with their fences."""
    kept: list[str] = []
    open_: list[tuple[str, bool]] = []  # fences, each with whether its content is text
    for line in markdown.splitlines():
        fence = re.match(r"\s*(`{3,}|~{3,})\s*(\S*)", line)
        in_text = all(is_text for _, is_text in open_)
        if open_ and fence and not fence[2] and fence[1].startswith(open_[-1][0]):
            open_.pop()
        elif fence and in_text:
            in_text = bool(_TEXT_DIRECTIVES.match(fence[2]))
            open_.append((fence[1], in_text))
        if in_text:
            kept.append(line)
    return "\n".join(kept)
