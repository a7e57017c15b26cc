#pragma once

#include <filesystem>

#include "formats/table.h"

namespace millrace {

/// The header, or what can be said without one: the first line that is not blank is a header if one
/// of its cells is no number. Where it is one alone, and the second line has no number there
/// either, that may be a class's name: then the line is a header if that cell is the name of the
/// labels' column, or that column is another, or the other cells count 0, 1, 2, … or 1, 2, 3, ….
/// Throws DataError: an empty file, fewer than two columns, a label_column that is not there (where
/// there is a header and a name was asked for, labelled is false instead), two columns that may be
/// it, targets that are not said, said twice or all there is, other columns than options.columns
/// (where labelled is true, or labels are of no interest), lines that end in "\r" alone; columns of
/// options.table that are not there, are asked for twice, have labels, or leave none; labels that
/// are not said where it asks for anything.
TableLayout read_csv_layout(const std::filesystem::path& path,
                            const ReadTableOptions& options = {});

/// Reads comma-separated values (RFC 4180) of numbers, a sample a line, by several threads; plain,
/// gzip or zstd. Classes are numbers, or names, as the first sample's is; never both. Targets are
/// finite numbers, rounded to the nearest float32.
/// Lines end in "\n" or "\r\n"; blank ones are left out; cells may be in quotes, but hold no line
/// breaks; a byte order mark in front is skipped. The result does not depend on the number of
/// threads.
///
/// With options.table, or options.columns that have a form, samples are float32, made of the form:
/// see TableForm. It is a pure function of the lines.
///
/// Throws DataError naming line and column, both from 1: a cell that is no finite number, a class
/// that is not whole, negative or outside the classes, a name where labels are numbers, a number
/// where they are names, a line of another number of cells; no
/// labels, no lines, compressed content of more than 256 times its size (and 256 MiB); and what
/// find_text_columns(), form_of() and apply_form() throw.
ReadTable read_csv(const std::filesystem::path& path, const ReadTableOptions& options = {});

}  // namespace millrace
