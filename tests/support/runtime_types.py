"""Run-time type checks of signatures; int is accepted for float, as by static type checkers."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
