"""The structure of a checkout in figures: rooms, files, lines, arrows, single callers, long functions, plain prose.

python benchmarks/structure.py [CHECKOUT ...]
"""

import argparse
import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from pathlib import Path

LONG_FUNCTION, SHORT_MODULE = 60, 60
# Words that replace a noun by a clause (CONTRIBUTING: plain English).
CLAUSES = re.compile(r"\b(what|that of|those|whose|whatever|of which)\b", re.IGNORECASE)


class Checkout:
    """The Python files of a package and the modules that each imports."""

    def __init__(self, root: Path) -> None:
        self.package = root / "src" / "cytoform"
        self.texts = {self._name(path): path.read_text() for path in self.package.rglob("*.py")}
        self.trees = {name: ast.parse(text) for name, text in self.texts.items()}
        self.imports = {name: self._imports(name) for name in self.trees}

    def _name(self, path: Path) -> str:
        parts = path.relative_to(self.package.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _imports(self, name: str) -> set[str]:
        found = set()
        for node in ast.walk(self.trees[name]):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
        return found & set(self.texts) - {name, "cytoform"}

    def room(self, name: str) -> str:
        """The folder of a module, as a dotted name."""
        inside = name.split(".")[1:]
        is_package = (self.package / Path(*inside) / "__init__.py").exists() if inside else True
        return ".".join(inside if is_package else inside[:-1]) or "root"

    def depth(self) -> int:
        """The longest chain of imports between parts, ignoring cycles."""
        parts: dict[str, set[str]] = defaultdict(set)
        for name, others in self.imports.items():
            here = name.split(".")[1] if "." in name else "root"
            parts[here] |= {other.split(".")[1] for other in others} - {here}

        def longest(part: str, seen: frozenset[str]) -> int:
            return 1 + max((longest(other, seen | {other}) for other in parts[part] - seen), default=0)

        return max(longest(part, frozenset({part})) for part in list(parts) if part != "root")

    def callers(self) -> Counter[str]:
        """How many modules import each module, command modules and packages left out."""
        return Counter(other for others in self.imports.values() for other in others)

    def figures(self) -> dict[str, str]:
        """The table of this checkout."""
        lines = {name: text.count("\n") for name, text in self.texts.items()}
        total = sum(lines.values())
        by_part: Counter[str] = Counter()
        for name, n in lines.items():
            by_part[name.split(".")[1] if self.room(name) != "root" else "root"] += n
        rooms = {self.room(name) for name in lines}
        largest, most = by_part.most_common(1)[0]
        callers = self.callers()
        single = [name for name in lines if callers[name] == 1 and not self._is_package(name)]
        functions = [
            node.end_lineno - node.lineno + 1  # type: ignore[operator]
            for tree in self.trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        arrows = {(self.room(a), self.room(b)) for a, others in self.imports.items() for b in others}
        return {
            "rooms": str(len(rooms)),
            "files": str(len(lines)),
            "lines": f"{total:,}",
            "largest part": f"{largest}, {100 * most / total:.1f} %",
            "files at the root": str(sum(path.is_file() for path in self.package.iterdir())),
            "arrows between rooms": str(sum(a != b for a, b in arrows)),
            "import depth (parts)": str(self.depth()),
            "modules with one caller": str(len(single)),
            f"… of them under {SHORT_MODULE} lines": str(sum(lines[name] < SHORT_MODULE for name in single)),
            f"functions over {LONG_FUNCTION} lines": str(sum(n > LONG_FUNCTION for n in functions)),
            "names of classes and functions defined twice or more": str(self.repeated_names()),
            "clauses for nouns per 100 words of docstrings and comments": f"{self.clauses():.2f}",
        }

    def repeated_names(self) -> int:
        """Public names defined at the top of more than one module."""
        kinds = ast.ClassDef | ast.FunctionDef
        names = Counter(node.name for tree in self.trees.values() for node in tree.body if isinstance(node, kinds))
        return sum(n > 1 for name, n in names.items() if not name.startswith("_"))

    def clauses(self) -> float:
        """Occurrences of CLAUSES per 100 words of docstrings and comments."""
        words = hits = 0
        for name, tree in self.trees.items():
            documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            prose = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]
            tokens = tokenize.generate_tokens(io.StringIO(self.texts[name]).readline)
            prose += [token.string for token in tokens if token.type == tokenize.COMMENT]
            text = " ".join(prose)
            words, hits = words + len(text.split()), hits + len(CLAUSES.findall(text))
        return 100 * hits / words

    def _is_package(self, name: str) -> bool:
        return (self.package / Path(*name.split(".")[1:]) / "__init__.py").exists()


def main() -> None:
    """Print one column a checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parents[1]
    parser.add_argument("checkouts", nargs="*", type=Path, default=[here])
    tables = [Checkout(root).figures() for root in parser.parse_args().checkouts]
    for row in tables[0]:
        print("| " + " | ".join([row, *(table[row] for table in tables)]) + " |")


if __name__ == "__main__":
    main()
