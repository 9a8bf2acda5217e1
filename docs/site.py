"""Builds the documentation site into out/site: `make docs`, or `python docs/site.py`.

The pages are those of docs/, the changelog and the notes for contributors, and a reference made from the public names of
the package. Links to files of the repository become plain words, because the site has no address of the repository. The
tutorials are run, which takes one or two minutes; with `--without-running` they are built without outputs, and say so.
"""

import argparse
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from notebooks import write_run_page, write_unrun_page

import cytoform

ROOT = Path(__file__).parents[1]
PAGES, SITE = ROOT / "out" / "pages", ROOT / "out" / "site"
STUDIOS = "<!-- studios -->"  # where a page has links to the studios of the trained models
OUTSIDE = ("CHANGELOG.md", "CONTRIBUTING.md")
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:)([^)#\s]*)((?:#[^)\s]*)?)\)")


def main() -> None:
    """Write the pages, build the site, and check its links."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--without-running", action="store_true", help="build the tutorials without their outputs")
    write_pages(PAGES, run=not parser.parse_args().without_running)
    write_studios(PAGES)
    shutil.rmtree(SITE, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "zensical", "build", "-f", "mkdocs.yml"], cwd=ROOT, check=True)
    if dead := dead_links(SITE):
        sys.exit("dead links:\n" + "\n".join(dead))
    print(f"wrote {SITE / 'index.html'}")


def write_pages(folder: Path, *, run: bool) -> None:
    """Write the Markdown of all pages; `run` runs the tutorials."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name in OUTSIDE:
        shutil.copyfile(ROOT / name, folder / name.lower())
    for notebook in sorted((ROOT / "docs" / "tutorials").glob("*.md")):
        page = folder / "tutorials" / notebook.name
        if run:
            print(f"{notebook.name}: run in {write_run_page(notebook, page):.0f} CPU s", flush=True)
        else:
            write_unrun_page(notebook, page)
    for page in folder.rglob("*.md"):
        page.write_text(LINK.sub(lambda link: _within(link, page.parent), page.read_text("utf-8")), "utf-8")  # noqa: B023
    (folder / "reference.md").write_text(reference(), "utf-8")


def write_studios(folder: Path) -> None:
    """Write a studio for each trained model that comes with cytoform, and links to them where pages have the mark."""
    studios = folder / "studio"
    studios.mkdir()
    links = []
    for model in cytoform.models():
        name = model.name.removeprefix("zoo:")
        cytoform.write_studio(cytoform.load(model.name, device="cpu"), studios / f"{name}.html")
        links.append(f"[{model.title}](studio/{name}.html)")
    text = "Make a cell now, in this browser, before you install anything: " + ", ".join(links) + "."
    for page in folder.glob("*.md"):
        page.write_text(page.read_text("utf-8").replace(STUDIOS, text), "utf-8")


def _within(link: re.Match[str], folder: Path) -> str:
    """A link as the site has it; a link to a file that is no page becomes its words."""
    words, target, anchor = link.groups()
    name = Path(target).name.lower() if Path(target).name in OUTSIDE else target
    return f"[{words}]({name}{anchor})" if not target or (folder / name).is_file() else words


def reference() -> str:
    """The page of all public calls and types, made from their docstrings."""
    calls = {name: module for name, module in cytoform._PUBLIC.items() if name[0].islower()}
    types = {name: module for name, module in cytoform._PUBLIC.items() if name not in calls}
    earlier = {"Assumed", "Look"}  # names that older scripts use
    parts = ["# Python reference", "Every command is a call; `import cytoform` gives all of these.", "## Calls"]
    parts += [f"::: {module}.{name}" for name, module in sorted(calls.items())]
    parts.append("## Types")
    parts += [f"::: {module}.{name}" for name, module in sorted(types.items()) if name not in earlier]
    return "\n\n".join(parts) + "\n"


class _Links(HTMLParser):
    """Collects the links and the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a link or picture, and the anchor of any element."""
        values = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := values.get(name))]
        self.anchors |= {value for value in (values.get("id"),) if value}


def dead_links(site: Path) -> list[str]:
    """Links within a built site that lead to no file or no anchor, as PAGE: LINK."""
    found = {path: _read(path) for path in site.rglob("*.html")}
    dead = []
    for path, page in found.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = found[target].anchors if target in found else None
            if not target.is_file() or (parts.fragment and known is not None and unquote(parts.fragment) not in known):
                dead.append(f"{path.relative_to(site)}: {link}")
    return sorted(set(dead))


def _read(path: Path) -> _Links:
    page = _Links()
    page.feed(path.read_text("utf-8"))
    return page


if __name__ == "__main__":
    main()
