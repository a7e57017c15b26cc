#include "tools/console/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "tools/console/numbers.h"
#include "tools/console/quote.h"
#include "tools/console/suggestion.h"
#include "tools/console/usage_error.h"

namespace millrace {
namespace {

constexpr std::size_t kHelpColumn = 28;

/// Usage before description, one blank line between groups.
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(kHelpColumn);
    label("Positionals", "Arguments");
  }

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode /*mode*/) const override {
    name = name.empty() ? app->get_name() : name;
    return make_usage(app, name) + '\n' + app->get_description() + '\n' + make_positionals(app) +
           groups(app) + '\n' + app->get_footer() + '\n';
  }
  std::string make_usage(const CLI::App* app, std::string name) const override {
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_positional()) name += ' ' + option->get_name(true);
    }
    return "Usage: " + name + " [OPTIONS]\n";
  }
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    std::string text = '\n' + group + ":\n";
    for (const CLI::Option* option : options) text += make_option(option, is_positional);
    return text;
  }

 private:
  std::string groups(const CLI::App* app) const {
    std::string text;
    for (const std::string& group : app->get_groups()) {
      const auto options = app->get_options([&](const CLI::Option* option) {
        return option->nonpositional() && option->get_group() == group;
      });
      if (!options.empty()) text += make_group(group, false, options);
    }
    return text;
  }
};

template <typename Take>
CLI::callback_t with_name(std::string name, Take take) {
  return [name = std::move(name), take = std::move(take)](const CLI::results_t& results) {
    try {
      take(results.empty() ? std::string() : results.back());
    } catch (const UsageError& error) {
      throw UsageError(name + ": " + error.what());
    }
    return true;
  };
}

bool looks_like_option(std::string_view argument) {
  return argument.size() > 1 && argument.front() == '-';
}

}  // namespace

CommandLine::CommandLine(std::string program, const std::string& description)
    : app_(std::make_unique<CLI::App>(description, std::move(program))) {
  app_->formatter(std::make_shared<HelpFormatter>());
  app_->allow_extras();   // told by refuse_extra() in our own words
  app_->set_help_flag();  // programs declare theirs, in the group where it belongs
  app_->allow_windows_style_options(false);
}

CommandLine::~CommandLine() = default;

void CommandLine::examples(const std::string& text) { app_->footer(text); }

std::string CommandLine::help() const { return app_->help(); }

CLI::Option* CommandLine::declare(CLI::Option* option, const std::string& meta) {
  option->option_text(meta)->group(group_)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  return option;
}

void CommandLine::value(const std::string& name, const std::string& meta, const std::string& help,
                        Take take) {
  declare(app_->add_option(name, with_name(name, std::move(take)), help), meta);
}

void CommandLine::optional_value(const std::string& name, const std::string& meta,
                                 const std::string& help, Take take) {
  declare(app_->add_option(name, with_name(name, std::move(take)), help), meta)->expected(0, 1);
}

void CommandLine::flag(const std::string& name, const std::string& help, bool& target) {
  app_->add_flag(name, target, help)
      ->group(group_)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void CommandLine::positional(const std::string& name, const std::string& help,
                             std::string& target) {
  app_->add_option(name, target, help)->option_text(" ");
}

void CommandLine::positionals(const std::string& name, const std::string& help,
                              std::vector<std::string>& target) {
  app_->add_option(name, target, help)->option_text(" ");
}

bool CommandLine::takes_value(std::string_view name) const {
  const CLI::Option* option = app_->get_option_no_throw(std::string(name));
  return option != nullptr && option->get_items_expected_max() > 0;
}

// CLI11 would take the argument after "--name=" for its value; here it is the empty text.
std::vector<std::string> CommandLine::split_values(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> split;
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    if (argument.starts_with("--") && equals != std::string::npos &&
        takes_value(argument.substr(0, equals))) {
      split.push_back(argument.substr(0, equals));
      split.push_back(argument.substr(equals + 1));
    } else {
      split.push_back(argument);
    }
  }
  return split;
}

std::vector<std::string> CommandLine::names() const {
  std::vector<std::string> all;
  for (const CLI::Option* option : app_->get_options()) {
    for (const std::string& name : option->get_lnames()) all.push_back("--" + name);
  }
  return all;
}

void CommandLine::refuse_extra(const std::string& argument) const {
  if (!looks_like_option(argument)) {
    throw UsageError("unexpected argument " + shown(argument));
  }
  refuse_unknown(argument.substr(0, argument.find('=')));
}

void CommandLine::refuse_unknown(const std::string& name) const {
  const auto meant = nearest_option(name, names());
  throw UsageError("unknown option " + one_line(name) +
                   (meant ? "; did you mean " + *meant + "?" : std::string()));
}

bool CommandLine::parse(std::vector<std::string> arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") return false;
  }
  arguments = split_values(arguments);
  words_ = arguments;
  std::ranges::reverse(arguments);  // as CLI11 takes a vector
  try {
    app_->parse(std::move(arguments));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();
    const std::string name = text.substr(0, text.find(':'));
    throw UsageError(takes_value(name) ? name + ": expected a value, found none" : one_line(text));
  } catch (const CLI::ParseError& error) {
    throw UsageError(one_line(error.what()));
  }
  const auto extras = app_->remaining();
  // An option that is unknown explains the values behind it.
  const auto option = std::ranges::find_if(extras, looks_like_option);
  if (option != extras.end()) refuse_extra(*option);
  if (!extras.empty()) refuse_extra(extras.front());
  return true;
}

void CommandLine::apply(const std::string& file, std::span<const ConfigEntry> entries,
                        std::span<const std::string> refused) {
  for (const ConfigEntry& entry : entries) {
    const std::string where = fmt::format("{}:{}: ", file, entry.line);
    CLI::Option* option = std::ranges::find(refused, entry.key) == refused.end()
                              ? app_->get_option_no_throw("--" + entry.key)
                              : nullptr;
    if (option == nullptr) {
      std::vector<std::string> known;
      for (const std::string& name : names()) {
        if (std::ranges::find(refused, name.substr(2)) == refused.end()) {
          known.push_back(name.substr(2));
        }
      }
      const auto meant = nearest_option(entry.key, known);
      throw UsageError(where + "unknown option " + entry.key +
                       (meant ? "; did you mean " + *meant + "?" : std::string()));
    }
    const std::string option_name = "--" + entry.key;
    if (option->count() != 0) {
      overruled_.emplace(option_name, entry);
      continue;
    }
    try {
      const bool is_switch = option->get_items_expected_max() == 0;
      const bool optional = option->get_items_expected_min() == 0;
      std::string value = entry.value;
      if (is_switch || (optional && (value == "true" || value == "false"))) {
        if (!parse_switch(value)) continue;
        value = is_switch ? "true" : "";
      }
      option->add_result(value);
      option->run_callback();
      in_config_.emplace(option_name, where + entry.key);
    } catch (const UsageError& error) {
      const std::string message = error.what();
      const std::string name = option_name + ": ";
      throw UsageError(where + entry.key + ": " +
                       (message.starts_with(name) ? message.substr(name.size()) : message));
    }
  }
}

std::string CommandLine::group_of(const std::string& name) const {
  const CLI::Option* option = app_->get_option_no_throw(name);
  if (option == nullptr) refuse_unknown(name);
  return option->get_group();
}

std::vector<std::string> CommandLine::words_without(std::span<const std::string> names) const {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (!looks_like_option(words_[i])) continue;
    const bool kept = std::ranges::find(names, words_[i]) == names.end();
    if (kept) words.push_back(words_[i]);
    if (!takes_value(words_[i]) || i + 1 == words_.size()) continue;
    const bool optional = app_->get_option(words_[i])->get_items_expected_min() == 0;
    if (optional && looks_like_option(words_[i + 1])) continue;
    ++i;
    if (kept) words.push_back(words_[i]);
  }
  return words;
}

std::map<std::string, std::string> CommandLine::values() const {
  std::map<std::string, std::string> values;
  for (const CLI::Option* option : app_->get_options()) {
    if (option->count() == 0 || !option->nonpositional()) continue;
    values.emplace("--" + option->get_lnames().front(), option->results().back());
  }
  return values;
}

bool CommandLine::given(const std::string& name) const {
  return app_->get_option(name)->count() != 0;
}

const ConfigEntry* CommandLine::overruled(const std::string& name) const {
  const auto found = overruled_.find(name);
  return found == overruled_.end() ? nullptr : &found->second;
}

std::string CommandLine::place(const std::string& name) const {
  const auto found = in_config_.find(name);
  return found == in_config_.end() ? name : found->second;
}

void CommandLine::refuse_idle(const std::string& name, const std::string& cause,
                              const std::string& expected, const std::string& found) {
  if (!given(name)) return;
  const std::string reason = fmt::format("expected {}, found {}", expected, found);
  if (in_config_.contains(name) && given(cause) && !in_config_.contains(cause)) {
    notes_.push_back(fmt::format("{} has no effect: {}", place(name), reason));
    return;
  }
  const bool elsewhere = !in_config_.contains(name) && in_config_.contains(cause);
  throw UsageError(
      fmt::format("{}: {}{}", place(name), reason, elsewhere ? " (" + place(cause) + ")" : ""));
}

void CommandLine::refuse_both(const std::string& one, const std::string& other) const {
  if (!given(one) || !given(other)) return;
  throw UsageError(fmt::format("{} and {}: expected one of them, found both", one, other));
}

}  // namespace millrace
