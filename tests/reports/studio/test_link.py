"""Pages lead to the studio of their run."""

from pathlib import Path

from cytoform.reports.studio.link import studio_note

SHA256 = "ab" * 32


def test_names_the_command_without_a_page_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "studio.html").write_text('{"weights":"' + "cd" * 32 + '"}')
    assert "<code>cytoform studio a&amp;b</code>" in studio_note("a&b", SHA256, tmp_path)


def test_leads_to_the_page_that_lies_beside(tmp_path: Path) -> None:
    for name, link in (("studio.html", "../studio.html"), ("a&b.studio.html", "../a%26b.studio.html")):
        (tmp_path / name).write_text(f'{{"weights":"{SHA256}"}}')
        assert f'href="{link}"' in studio_note("a&b", SHA256, tmp_path)
