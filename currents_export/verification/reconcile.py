"""`reconcile`: compare sent events with what arrived, whatever their number and order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from ..current import Current
from ..delivery import DropReason, FilterReason
from ..errors import OptionError, ReadError
from ..receiver.rudderstack import VanishReason
from ._arrived import ArrivalReader
from ._charting import RateCounter
from ._collect import Collector, found_by_code
from ._comparing import Comparison, Found
from ._examining import Examiner
from ._expected import Expectation, expectation
from ._forms import Form, form_of
from ._order import find_reordered
from ._rows import Kinds, Known
from ._sent import LossCounter, SentReader, event_of, known_of
from ._shapes import THROUGH, Shape
from ._source import Input, OnUnreadable, Source
from ._store import Partitions, unwritable
from ._values import Values
from .findings import Altered, Caused, FindingKind
from .report import Report, Through

__all__ = ["reconcile"]

_MISSING = (FindingKind.LOST, FindingKind.NOT_ACCEPTED, FindingKind.DROPPED)
_DUPLICATED = (FindingKind.REDELIVERED, FindingKind.REPEATED)
_SENT = (Shape.EVENT, Shape.RECORD, Shape.KEY)


def reconcile(
    sent: Input,
    received: Input,
    *,
    through: Through | str | None = None,
    current: Current | None = None,
    mapping: Mapping[str, str] | None = None,
    answer_key: Input | None = None,
    late_after: float | None = None,
    exactly_once: bool = False,
    in_order: bool = False,
    same_run: bool = False,
    on_unreadable: OnUnreadable | None = None,
    directory: Path | str | None = None,
) -> Report:
    """Compare sent events with what arrived.

    Memory does not grow with the number of events; what is compared of them is in files on disk.

    >>> from currents_export import World
    >>> from currents_export.verification import reconcile
    >>> sent = World().journey("abandoned-cart")
    >>> report = reconcile(sent, sent[1:])
    >>> report.verdict.value, report.missing.count
    ('wrong', 1)

    Args:
        sent: what was sent, as the name of a file or as values: events, a sender's record, or an
            answer key. An id that occurs several times is expected as many times. An answer key has
            no contents, so that only what arrived is compared, and how often.
        received: what arrived, in the same forms: events, or messages of RudderStack.
        through: what is between the two; by default, it follows from the first arrival.
        current: the Current, if `sent` is not what it sent but what it was given. A record is what
            was sent, so that the Current does not change it.
        mapping: the custom mapping of RudderStack's source.
        answer_key: the answer key of the events; not used if `sent` is one. What was disturbed on
            purpose is not a finding then.
        late_after: the seconds after which an event is late; None, the default, if none is. They
            count from the request that delivered it, if a record says when that was, and else from
            its time, or when it was meant to arrive according to the answer key.
        exactly_once: whether duplicates are wrong.
        in_order: whether reordered events are wrong.
        same_run: whether the two are known to be from the same run, so that nothing in common, and
            nothing received, are findings. By default, they are errors.
        on_unreadable: called for each part of the input that cannot be used; by default, the first
            one is raised.
        directory: where the files are made; by default, where temporary files are.

    Raises:
        ReadError: an input cannot be read, or contains no events although it should.
        OptionError: `through` is unknown; no arrival, or no line of the answer key, has the id of a
            sent event; or the directory cannot be written to.
    """
    on_unreadable = _raise if on_unreadable is None else on_unreadable
    chosen = _to_through(through)
    with ExitStack() as stack:
        try:
            made = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="currents-export-", dir=directory)
            )
        except OSError as error:
            raise OptionError(unwritable(directory or "temporary directory", error)) from error
        work = _Work(Path(made), stack, on_unreadable, same_run=same_run)
        work.read_received(received, chosen)
        work.read_sent(sent, current, mapping)
        work.read_key(answer_key)
        work.compare(late_after)
        return work.report(exactly_once=exactly_once, in_order=in_order)


def _raise(error: ReadError) -> None:
    raise error


class _Work:
    """The state of one comparison.

    Args:
        place: the directory for files.
        stack: closes them.
        on_unreadable: called for each part of an input that cannot be used.
        same_run: whether nothing in common is a finding.
    """

    _sent: Source
    _reader: SentReader
    _shape: Shape
    _received: Source
    _arrivals: ArrivalReader
    _arrived_shape: Shape
    _form: Form
    _expected: Expectation
    _comparison: Comparison
    _altered: Altered

    def __init__(
        self, place: Path, stack: ExitStack, on_unreadable: OnUnreadable, *, same_run: bool
    ) -> None:
        self._same_run = same_run
        self._place = place
        self._on_unreadable = on_unreadable
        self._kinds = Kinds()
        self._rates = RateCounter()
        self._losses = LossCounter()
        self._found = Found()
        self._rows = {
            name: stack.enter_context(closing(Partitions(place / f"{name}.rows")))
            for name in ("sent", "received", "key", "pairs")
        }
        self._has_key = False

    def read_received(self, received: Input, through: Through | None) -> None:
        """Read what arrived. The shape of the first arrival decides what is expected."""
        self._received = Source(received, name="received", directory=self._place)
        shapes = [shape for shape, kind in THROUGH.items() if through in (None, kind)]
        empty = None
        if self._same_run:
            empty = Shape.EVENT if through is Through.CURRENTS else Shape.MESSAGE
        with closing(Values(self._received, self._on_unreadable, shapes, if_empty=empty)) as values:
            self._arrived_shape = values.shape
            self._form = form_of(values.shape)
            self._arrivals = ArrivalReader(
                values,
                self._form,
                kinds=self._kinds,
                rates=self._rates,
                unexpected=self._found.unexpected,
            )
            self._rows["received"].add_all(self._arrivals.rows())

    def read_sent(
        self, sent: Input, current: Current | None, mapping: Mapping[str, str] | None
    ) -> None:
        """Read what was sent, and what should arrive of it."""
        self._sent = Source(sent, name="sent", directory=self._place)
        with closing(Values(self._sent, self._on_unreadable, _SENT)) as values:
            self._shape = values.shape
            self._expected = expectation(
                THROUGH[self._arrived_shape],
                self._form,
                current=None if values.shape is Shape.RECORD else current,
                mapping=mapping,
                on_loss=self._losses.add,
            )
            self._reader = SentReader(
                values, self._expected, self._kinds, self._rates, on_known=self._add_known
            )
            self._rows["sent"].add_all(self._reader.rows())
        self._losses.is_over = True

    def read_key(self, answer_key: Input | None) -> None:
        """Read what was disturbed on purpose."""
        if answer_key is None or self._shape is Shape.KEY:
            return
        source = Source(answer_key, name="answer key", directory=self._place)
        with closing(Values(source, self._on_unreadable, [Shape.KEY])) as values:
            for _, value in values:
                self._add_known(known_of(value))

    def _add_known(self, known: Known) -> None:
        self._has_key = True
        self._rows["key"].add(tuple(known))

    def compare(self, late_after: float | None) -> None:
        """Compare the rows, and the contents of altered events."""
        rows = self._rows
        self._comparison = Comparison(
            self._found,
            self._kinds,
            has_record=self._shape is Shape.RECORD,
            late_after=late_after,
            pairs=rows["pairs"],
        )
        self._comparison.compare(rows["sent"], rows["received"], rows["key"])
        found = self._found
        if not found.matched and not self._same_run:
            raise OptionError(
                "no arrival has the id of a sent event; are the two inputs from the same run?"
            )
        if self._has_key and not found.known:
            raise OptionError(
                "the answer key has no id of a sent event; are the two from the same run?"
            )
        examiner = Examiner(
            self._sent,
            self._received,
            event_of=partial(event_of, shape=self._shape),
            expected=self._expected,
            form=self._form,
        )
        examiner.examine(found.to_examine)
        self._altered = examiner.altered(found.altered.findings)

    def report(self, *, exactly_once: bool, in_order: bool) -> Report:
        """Return the report."""
        found, has_record = self._found, self._shape is Shape.RECORD
        without_id = self._reader.without_id.total()
        order = find_reordered(self._rows["pairs"], self._kinds.names)
        return Report(
            through=THROUGH[self._arrived_shape],
            sent=self._comparison.sent + without_id if has_record else self._reader.count,
            received=self._arrivals.count,
            matched=found.matched,
            missing=_caused(found.missing, found.causes, _MISSING),
            duplicated=_caused(found.duplicated, found.causes, _DUPLICATED),
            altered=self._altered,
            unexpected=found.unexpected.findings,
            reordered=order.findings,
            late=found.late.findings,
            filtered=found.by_reason(FilterReason),
            vanished=found.by_reason(VanishReason),
            dropped=found.by_reason(DropReason),
            reduced=found_by_code(self._losses.found),
            disturbed=found_by_code(found.disturbed, sorted(found.disturbed)),
            without_id=without_id,
            absent=self._form.absent(),
            stages=self._comparison.stages,
            ages=found.ages.delays,
            latency=found.latency.delays,
            rates=self._rates.rates,
            has_record=has_record,
            exactly_once=exactly_once,
            in_order=in_order,
        )


def _caused(
    found: Collector, causes: Mapping[FindingKind, Collector], kinds: Iterable[FindingKind]
) -> Caused:
    whole, by_cause = found.findings, found_by_code(causes, kinds)
    return Caused(whole.count, whole.examples, whole.by_event_type, by_cause)


def _to_through(value: Through | str | None) -> Through | None:
    if value is None:
        return None
    try:
        return Through(value)
    except ValueError:
        names = " or ".join(Through)
        raise OptionError(f"through is {value!r}; it must be {names}") from None
