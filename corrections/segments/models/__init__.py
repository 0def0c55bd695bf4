"""Attachments, the registers that consist of them, and files on their way in."""

from corrections.segments.models.attachment import Attachment
from corrections.segments.models.patterns import PatternSet, PatternSetVersion
from corrections.segments.models.register import Mode, Register, Version
from corrections.segments.models.segment import Packing, Segment, SegmentVersion
from corrections.segments.models.upload import Upload

__all__ = [
    "Attachment",
    "Mode",
    "Packing",
    "PatternSet",
    "PatternSetVersion",
    "Register",
    "Segment",
    "SegmentVersion",
    "Upload",
    "Version",
]
