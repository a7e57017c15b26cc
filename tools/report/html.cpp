#include "tools/report/html.h"

#include <fmt/format.h>

#include <cstdint>

namespace millrace {

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string begin_chart(std::string_view title, std::string_view beside, double width,
                        double height) {
  return fmt::format(
      R"(<figure><figcaption>{0}{1}</figcaption><svg viewBox="0 0 {2:.0f} {3:.0f}" role="img" aria-label="{0}">)",
      escape_html(title), beside, width, height);
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8U | (j < count ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= count ? kDigits[bits >> (18 - 6 * j) & 63U] : '=';
    }
  }
  return out;
}

std::string png_uri(std::string_view png) { return "data:image/png;base64," + base64(png); }

}  // namespace millrace
