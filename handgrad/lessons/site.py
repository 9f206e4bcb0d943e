"""The lessons as a small static site: a page for each network, the ladder, and an index."""

import re

from handgrad.errors import InputError
from handgrad.lessons.climb import FIRST, RUNGS, rungs
from handgrad.lessons.formulas import derivation, inline
from handgrad.lessons.source import coloured
from handgrad.lessons.story import story
from handgrad.load import gallery
from handgrad.pipeline import check_gallery
from handgrad.show.html import templates
from handgrad.show.target import write_whole

GENERATOR = "Handgrad lesson"
LADDER = "ladder"
TITLES = {"index": "All lessons", LADDER: "The ladder"}
LADDER_IS = "The first network once more, climbed from NumPy to `torch.compile`, one step a rung."


def pages_of(name=None):
    """Return the names of the pages to write: those of all networks and the ladder, or one."""
    known = [*gallery.GALLERY, LADDER]
    if name is None:
        return known
    if name not in known:
        raise InputError(f"There is no lesson {name!r}: choose one of {', '.join(known)}.")
    return [name]


def check_folder(folder, names):
    """Raise InputError where a page would go over a file that Handgrad did not write."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is no folder: choose another one with --out.")
    for path in (folder / f"{name}.html" for name in [*names, "index"]):
        if path.is_dir():
            raise InputError(f"{path} is a folder: choose another --out.")
        if path.exists() and GENERATOR.encode() not in path.read_bytes()[:20_000]:
            raise InputError(f"{path} is there already, and is no lesson: choose another --out.")


def write_site(folder, names, progress=iter):
    """Write the pages of these names into a folder, and of several an index; return the first.

    A page links to those that are there.
    """
    check_folder(folder, names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {folder}: {error.strerror}.") from None
    files = [*(["index"] if len(names) > 1 else []), *names]
    links = [
        (f"{name}.html", TITLES.get(name, name.replace("_", " ")))
        for name in ["index", *pages_of()]
        if name in files or (folder / f"{name}.html").exists()
    ]
    for name in progress(files):
        page = render(name, links)
        write_whole(folder / f"{name}.html", page.encode(), force=True)
    return folder / f"{files[0]}.html"


def render(name, links):
    """Return a page as HTML; `links` are pairs of a page's file and its title."""
    template, about = "lesson.html.j2", {}
    if name == "index":
        template, about = "index.html.j2", {"lessons": contents()}
    elif name == LADDER:
        numpy = check_gallery(FIRST)
        climbed = rungs() if numpy.ok else []
        template, about = "ladder.html.j2", {"numpy": numpy, "rungs": climbed, "titles": RUNGS}
    else:
        about = story(name)
    return templates.get_template(template).render(
        title=dict(links)[f"{name}.html"],
        here=f"{name}.html",
        links=links,
        generator=GENERATOR,
        inline=inline,
        coloured=coloured,
        paragraphs=paragraphs,
        **about,
    )


def paragraphs(text):
    """Split a rung's text: what is new, what it costs and the trap are paragraphs of their own."""
    return re.split(r"\n(?=(?:New|For you|It costs|The traps?)\b)", text)


def contents():
    """Return for each page, in the gallery's order, its file, its title and what is new in it."""
    found = []
    for name in gallery.GALLERY:
        told = derivation(gallery.manual_side(name))
        found.append((f"{name}.html", told.title, told.new))
    return [*found, (f"{LADDER}.html", TITLES[LADDER], LADDER_IS)]
