"""Everything that can happen to segments and pattern sets. Pages, API and tasks call these."""

from corrections.segments.actions.importing import (
    change_subjects,
    export,
    import_patterns,
    import_subjects,
    merge,
)
from corrections.segments.actions.redrafting import Redrafted, redraft
from corrections.segments.actions.registers import create_pattern_set, create_segment, edit, retire
from corrections.segments.actions.uploads import forget_uploads, take_in_patterns, take_in_subjects, upload

__all__ = [
    "Redrafted",
    "change_subjects",
    "create_pattern_set",
    "create_segment",
    "edit",
    "export",
    "forget_uploads",
    "import_patterns",
    "import_subjects",
    "merge",
    "redraft",
    "retire",
    "take_in_patterns",
    "take_in_subjects",
    "upload",
]
