"""What one run leaves behind: recipe, data, machine, and for every test image the counts its scores are made of."""

from histolab_lib.record.fields import Record, record_path, variant_name
from histolab_lib.record.files import SCHEMA, digest_of, load_record, save_record
from histolab_lib.record.predictions import load_prediction, predictions_dir, save_prediction
from histolab_lib.record.schema import LEAK

__all__ = [
    "LEAK",
    "SCHEMA",
    "Record",
    "digest_of",
    "load_prediction",
    "load_record",
    "predictions_dir",
    "record_path",
    "save_prediction",
    "save_record",
    "variant_name",
]
