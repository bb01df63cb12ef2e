"""Tables in, results and model files out."""

from mixtura.io.column_names import (
    calendar_part,
    looks_like_code,
    looks_like_date,
    looks_like_id,
    names_a_customer,
)
from mixtura.io.model_file import (
    FORMAT_VERSION,
    dump_document,
    dump_statistics,
    read_document,
    read_statistics_document,
    readable_json,
)
from mixtura.io.number_text import TextNumbers, is_missing_text, read_numbers
from mixtura.io.outputs import SELECTION_FILES, output_directory, output_file, save_text, translate_os_errors
from mixtura.io.segment_names import read_names
from mixtura.io.survey.codebook import NO_CODEBOOK, Codebook, CodebookColumn, codebook_of, with_codebook
from mixtura.io.survey.survey_writer import SURVEY_OUTPUTS
from mixtura.io.tables import Table, find_source, outline_of, read_table, table_of, whole_table
from mixtura.io.values import release_arrow_memory, to_float64
from mixtura.io.writers import TABLE_SUFFIXES, Computed, TableWriter, Words, write_table

__all__ = [
    "FORMAT_VERSION",
    "NO_CODEBOOK",
    "SELECTION_FILES",
    "SURVEY_OUTPUTS",
    "TABLE_SUFFIXES",
    "Codebook",
    "CodebookColumn",
    "Computed",
    "Table",
    "TableWriter",
    "TextNumbers",
    "Words",
    "calendar_part",
    "codebook_of",
    "dump_document",
    "dump_statistics",
    "find_source",
    "is_missing_text",
    "looks_like_code",
    "looks_like_date",
    "looks_like_id",
    "names_a_customer",
    "outline_of",
    "output_directory",
    "output_file",
    "read_document",
    "read_names",
    "read_numbers",
    "read_statistics_document",
    "read_table",
    "readable_json",
    "release_arrow_memory",
    "save_text",
    "table_of",
    "to_float64",
    "translate_os_errors",
    "whole_table",
    "with_codebook",
    "write_table",
]
