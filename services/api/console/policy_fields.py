"""What the numbers of a probe policy are called in its form, and what they are for."""

from __future__ import annotations

from dataclasses import dataclass

from shared.i18n import N_


@dataclass(frozen=True, slots=True)
class Number:
    """One number. `unit`: s, bytes, or nothing for a count."""

    field: str
    label: str
    unit: str = ""
    hint: str = ""


NULLABLE = ("second_burst_after_s",)
GROUPS: tuple[tuple[str, tuple[Number, ...]], ...] = (
    (
        N_("Asking"),
        (
            Number("interval_s", N_("Ask every"), "s"),
            Number("max_timeout_s", N_("Wait for an answer at most"), "s"),
            Number("payload_bytes", N_("Size of a ping"), "bytes"),
            Number("dscp", N_("Priority mark (DSCP)"), "", N_("0 to 63; 0 is none.")),
        ),
    ),
    (
        N_("When an answer is missing"),
        (
            Number("burst_size", N_("Ask again so many times"), "", N_("No answer to any of them: down.")),
            Number("burst_spacing_s", N_("Between two of them"), "s"),
            Number("second_burst_after_s", N_("And all of it once more after"), "s", N_("Empty: once is enough.")),
            Number("hold_s", N_("Wait for the hosts before it"), "s", N_("So that one cause is told once.")),
            Number("blip_s", N_("Shorter than this is a blip"), "s", N_("Its end is told silently.")),
        ),
    ),
    (
        N_("When it answers again"),
        (
            Number("recovery_size", N_("Ask again so many times"), ""),
            Number("recovery_spacing_s", N_("Between two of them"), "s"),
            Number("recovery_answers", N_("Answers that make it up"), "", N_("The first one included.")),
        ),
    ),
    (
        N_("Quality"),
        (
            Number("quality_window_s", N_("Graded over the last"), "s", N_("At least 100 packets must fall into it.")),
            Number("train_size", N_("Packets in a train"), "", N_("Sent for the quality alone; 0: none.")),
            Number("train_spacing_s", N_("Between two of them"), "s"),
            Number("train_every_s", N_("A train every"), "s"),
        ),
    ),
)
