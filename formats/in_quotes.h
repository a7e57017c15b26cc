#pragma once

#include <string>
#include <string_view>

namespace millrace {

/// `text` in double quotes as messages show it, whatever a file holds there: control characters,
/// quotes, backslashes and bytes that are not ASCII as \n, \", \\, \xff; of a long text the first
/// 60 characters and "…".
std::string in_quotes(std::string_view text);

/// How messages name a member of a file: "data/mnist.npz/x_train.npy"; the member's name in quotes
/// where it is not plain.
std::string name_within(const std::string& file, std::string_view member);

}  // namespace millrace
