#pragma once

#include <string>
#include <vector>

// The sub-commands of the program trainer. Each takes its arguments (without its own name), does
// its work and returns the exit status; it throws UsageError and whatever the work throws.

namespace millrace {

int evaluate_command(const std::vector<std::string>& arguments);
int export_command(const std::vector<std::string>& arguments);
int predict_command(const std::vector<std::string>& arguments);
int search_command(const std::vector<std::string>& arguments);

}  // namespace millrace
