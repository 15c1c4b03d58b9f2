import re

import pytest

from histolab_lib.bookbuild.chapters import BookError, chapters
from histolab_lib.bookbuild.colab import Release, left_over
from histolab_lib.bookbuild.colab.contents import Contents, Labelled, Work
from histolab_lib.bookbuild.colab.prose import markdown
from histolab_lib.bookbuild.colab.roles import Place
from tests.books import ROOT, read

RELEASE = Release("https://github.com/owner/book", "v1.2.0", "https://owner.github.io/book/")
PAGES = "https://owner.github.io/book/book"

PLACE = Place(
    Contents(
        RELEASE,
        titles={"book/index": "Start", "book/foundations/scores": "Scores", "book/papers/one": "One"},
        figures={"fig-a": Labelled("book/foundations/scores", 7), "fig-b": Labelled("book/papers/one", 9)},
        equations={"eq-a": Labelled("book/foundations/scores", 4), "eq-b": Labelled("book/papers/one", 5)},
        works={
            "kumar2017": Work("Kumar et al., 2017", "https://doi.org/10.1/x"),
            "beucher1979": Work("Beucher and Lantuéjoul, 1979", None),
        },
    ),
    "book/foundations/scores",
)


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        ("a {term}`mask` of {term}`instance maps <instance map>`", "a mask of instance maps"),
        ("see {doc}`../papers/one`", f"see [One]({PAGES}/papers/one.html)"),
        ("see {doc}`the start </book/index>`", f"see [the start]({PAGES}/index.html)"),
        ("in {numref}`fig-a`", "in Figure 7"),
        ("in {numref}`fig-b`", f"in Figure 9 of [One]({PAGES}/papers/one.html)"),
        ("in {numref}`panel %s <fig-a>`", "in panel 7"),
        ("by {eq}`eq-a`", "by (4)"),
        ("by {eq}`eq-b`", f"by (5) of [One]({PAGES}/papers/one.html)"),
        (
            "AJI {cite}`kumar2017,beucher1979`",
            "AJI ([Kumar et al., 2017](https://doi.org/10.1/x); Beucher and Lantuéjoul, 1979)",
        ),
        ("a mean of {glue:text}`dice_all:.3f`.", "a mean of `dice_all`."),
        (
            "print {claim}`haru_net/table-1/u-net/monuseg/test/dice`",
            "print 0.758 (HARU-Net, Table 1, row U-Net)",
        ),
        (
            "reaches {result}`floor_hematoxylin/monuseg/base-clean-none-seed0/test/dice`",
            "reaches 0.770 (our run of floor_hematoxylin on monuseg, test; 95 % interval 0.751 to 0.788)",
        ),
        ("say `` {doc}`x` `` or `{eq}`", "say `` {doc}`x` `` or `{eq}`"),
        ("broken {doc}`the\nstart </book/index>`", f"broken [the start]({PAGES}/index.html)"),
        ("$$\na = b\n$$ (eq-a)", "$$\na = b \\tag{4}\n$$"),
        ("$$a = b$$\n\n(so it is)", "$$a = b$$\n\n(so it is)"),
        ("(a-target)=\n## Title", "## Title"),
        ("[the list](../index.md) and [this](#there)", f"[the list]({PAGES}/index.html) and [this](#there)"),
        ("![A cell](../_static/a.png)", "![A cell](https://github.com/owner/book/raw/v1.2.0/book/_static/a.png)"),
        (":::{note}\nSee {eq}`eq-a`.\n:::", "> **Note**\n>\n> See (4)."),
        ("```{warning} Mind this.\nAnd that.\n```", "> **Warning**\n>\n> Mind this.\n> And that."),
        ("```{admonition} For {term}`experts`\nIt is hard.\n```", "> **For experts**\n>\n> It is hard."),
        (
            "::::{tip}\nA\n:::{note}\nB\n:::\nC\n::::",
            "> **Tip**\n>\n> A\n> > **Note**\n> >\n> > B\n> C",
        ),
        ("```{dropdown} More\nText\n```", "<details><summary>More</summary>\n\nText\n\n</details>"),
        ("```{math}\n:label: eq-a\na = b\n```", "$$\na = b \\tag{4}\n$$"),
        ("```{math}\na = b\n```", "$$\na = b\n$$"),
        (
            "```{figure} ../_static/a.png\n:alt: A cell\nWhat {term}`it` is.\n```",
            "![A cell](https://github.com/owner/book/raw/v1.2.0/book/_static/a.png)\n\n*What it is.*",
        ),
        ("```{code-block} python\nx = {1: 2}\n```", "```python\nx = {1: 2}\n```"),
        ("```bash\nmake `{doc}`\n```\nthen {term}`go`", "```bash\nmake `{doc}`\n```\nthen go"),
    ],
)
def test_text_becomes_plain_markdown(myst, plain):
    made = markdown(myst, PLACE)
    assert made == plain
    assert left_over(made) == []


@pytest.mark.parametrize(
    ("myst", "message"),
    [
        ("{download}`x`", r"book/foundations/scores: editions have nothing for the role \{download\}; .*beside cite, "),
        ("```{list-table}\n- a\n```", r"editions have nothing for the directive \{list-table\}; .*beside note, "),
        ("{doc}`nowhere`", "the book has no page 'book/foundations/nowhere'"),
        ("{numref}`fig-c`", "nothing in the book is called 'fig-c'"),
        ("{eq}`eq-c`", "nothing in the book is called 'eq-c'"),
        ("$$a$$ (eq-c)", "no equation of the book is called 'eq-c'"),
        ("{cite}`kumar2017,nobody`", "not in the bibliography: nobody"),
        ("{result}`floor/none`", "scores: result: unknown result 'floor/none'"),
        ("{claim}`haru_net/none`", "scores: claim: unknown claim 'haru_net/none'; the nearest are"),
    ],
)
def test_what_cannot_be_said_in_plain_markdown_stops_the_edition(myst, message):
    with pytest.raises(BookError, match=message):
        markdown(myst, PLACE)


@pytest.mark.parametrize(
    "myst",
    [
        "{abbr}`x`", "```{x}\n```", ":::{x}\n", ":::", "(a)=\n", "$$a$$ (eq-a)", "% said to ourselves", "+++",
        "[a](b.md)", "![a](b.png)", "[a]{.small}", "a {{ number }} of", "```bash\nx\n```\n{doc}`y`",
    ],
)  # fmt: skip
def test_the_scanner_finds_what_is_left(myst):
    assert len(left_over(myst)) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "```python\n{x}`y`\n(a)=\n```", "`{doc}`", "``{doc}`x` ``", "$x_{1}$ and $$\n% no\n$$", "[a](#b)",
        "[a](https://x.org/b_(c))", "a 5 % share", "{1, 2}", "a (b) = c",
    ],
)  # fmt: skip
def test_the_scanner_lets_plain_markdown_pass(text):
    assert left_over(text) == []


def test_without_a_published_address_pages_are_named_and_not_linked():
    homeless = Place(Contents(Release("https://github.com/o/b", "v1"), {"book/index": "Start"}, {}, {}, {}), "book/a")
    assert markdown("see {doc}`index`", homeless) == "see Start"


def test_the_scanner_finds_every_role_that_the_chapters_use():
    cells = [cell.source for one in chapters(ROOT) for cell in read(one.ipynb).cells if cell.cell_type == "markdown"]
    roles = sum(len(re.findall(r"\{[a-z:]+\}`[^`]+`", text)) for text in cells)
    assert roles > 100
    assert sum(found.startswith("{") for text in cells for found in left_over(text)) == roles
