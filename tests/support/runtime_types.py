"""The check of signatures at run time, with int accepted for float as Python's type checkers do."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
