"""What people read, in Indonesian and English: texts, plurals, times, durations.

Texts are written in English in the code, `translator.gettext("{host} is down", host=name)`, and translated in
`locales/<language>/LC_MESSAGES/ronda.po`; values go in after translation, escaped by whoever knows the channel. A text
that is translated later than where it is written is marked with `N_`. After adding texts run `python -m shared.i18n
extract`, fill in the Indonesian, and commit; `python -m shared.i18n check` is what CI runs.
"""

from shared.i18n.times import format_duration, format_number, format_time, zone_name
from shared.i18n.translator import LANGUAGES, N_, Translator

__all__ = ["LANGUAGES", "N_", "Translator", "format_duration", "format_number", "format_time", "zone_name"]
