#pragma once

#include <string>
#include <string_view>

namespace millrace {

/// `text` for use in HTML, between tags or in a quoted attribute.
std::string escape_html(std::string_view text);

/// RFC 4648, 4.
std::string base64(std::string_view bytes);

/// A PNG file as what an <img> shows without asking anybody.
std::string png_uri(std::string_view png);

}  // namespace millrace
