#pragma once

#include <string>
#include <string_view>

namespace millrace {

/// `text` for use in HTML, between tags or in a quoted attribute.
std::string escape_html(std::string_view text);

/// What an SVG chart begins with, up to its elements, of which "</svg></figure>" is the end.
/// `beside` is HTML behind the title, a legend; width and height are of the viewBox.
std::string begin_chart(std::string_view title, std::string_view beside, double width,
                        double height);

/// RFC 4648, 4.
std::string base64(std::string_view bytes);

/// A PNG file as what an <img> shows without asking anybody.
std::string png_uri(std::string_view png);

}  // namespace millrace
