#pragma once

#include <string>
#include <vector>

// The sub-commands of the program tools. Each takes its arguments (without its own name), does its
// work and returns the exit status; it throws UsageError and whatever the work throws.

namespace millrace {

int synth_command(const std::vector<std::string>& arguments);
int inspect_command(const std::vector<std::string>& arguments);
int convert_command(const std::vector<std::string>& arguments);
int verify_command(const std::vector<std::string>& arguments);
int repair_command(const std::vector<std::string>& arguments);
int preview_command(const std::vector<std::string>& arguments);
int bench_command(const std::vector<std::string>& arguments);
int fetch_command(const std::vector<std::string>& arguments);

}  // namespace millrace
