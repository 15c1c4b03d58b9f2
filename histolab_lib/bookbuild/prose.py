"""Find scores that were typed into prose, where every number must come from a run, a record or a claim."""

import re

__all__ = ["typed_numbers"]

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
    re.compile(r"\$\$.*?\$\$", re.DOTALL),
    re.compile(r"\{[\w:-]+\}`+[^`]*`+"),
    re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL),
    re.compile(r"(?<![\\$])\$[^$\n]+(?:\n[^$\n]+)*\$"),
    re.compile(r"\]\([^)]*\)"),
    re.compile(r"<!--.*?-->|^%.*?$", re.MULTILINE | re.DOTALL),
)
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+(?=\S)|\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.)\s)")


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


def _without_fences(markdown: str) -> str:
    """Drop fenced code and mathematics, keep the text of admonitions and figures."""
    kept, fence = [], ""
    for line in markdown.splitlines():
        opening = re.match(r"\s*(`{3,}|~{3,})(\{[\w:-]+\})?", line)
        if fence:
            fence = "" if line.strip() == fence else fence
        elif opening and (opening[2] is None or opening[2] in ("{math}", "{code}", "{code-block}", "{bibliography}")):
            fence = opening[1]
        else:
            kept.append(line)
    return "\n".join(kept)
