"""The frozen table of an alignment for the engine. In a worker alone."""

from apps.datasets.blobs import blob_path
from apps.datasets.models import Alignment
from fusion.data.alignment import Aligned
from fusion.data.alignment_files import read_alignment


def load_aligned(alignment: Alignment) -> Aligned:
    """Samples, label, groups and split as they were frozen; media are found by their digest. Raises
    AlignmentError.
    """
    if alignment.table is None:
        raise ValueError(f"Alignment {alignment.number} is not frozen.")
    return read_alignment(blob_path(alignment.table.sha256), media=blob_path)
