"""Tables in, results and model files out."""

from mixtura.io.model_file import FORMAT_VERSION, dump_document, read_document, readable_json
from mixtura.io.names import names_a_date, names_an_id
from mixtura.io.outputs import RESULT_FILES, SELECTION_FILES, output_directory, output_file, writing
from mixtura.io.segment_names import read_names
from mixtura.io.tables import Table, read_table
from mixtura.io.values import float_values
from mixtura.io.writers import write_table

__all__ = [
    "FORMAT_VERSION",
    "RESULT_FILES",
    "SELECTION_FILES",
    "Table",
    "dump_document",
    "float_values",
    "names_a_date",
    "names_an_id",
    "output_directory",
    "output_file",
    "read_document",
    "read_names",
    "read_table",
    "readable_json",
    "write_table",
    "writing",
]
