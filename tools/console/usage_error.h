#pragma once

#include <stdexcept>

namespace millrace {

/// A command line or a config file that cannot be meant. what() is one line; the program that shows
/// it adds where to find help and exits with status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace millrace
