#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/image.h"

// How a JPEG or PNG file says that its picture is to be shown turned, as cameras and telephones do
// that were held so. Users want image.h.

namespace millrace {

/// The content behind `beginning` of the first segment of this marker that begins so, of those
/// before the first scan of a JPEG file; empty: none.
std::span<const std::byte> jpeg_segment(std::span<const std::byte> file, std::uint8_t marker,
                                        std::string_view beginning) noexcept;

/// The tag "Orientation" of a JPEG file's Exif segment, 1 to 8 (Exif 2.32, "4.6.4 TIFF Rev. 6.0
/// Attribute Information"); 1, as it is stored, where there is none or it cannot be read.
int jpeg_orientation(std::span<const std::byte> file) noexcept;

/// The same of a PNG file's chunk "eXIf", which comes before its pixels (PNG Third Edition, "5.6
/// Chunk ordering" and "11.3.4.5 eXIf"). Precondition: is_png().
int png_orientation(std::span<const std::byte> file) noexcept;

/// Whether an image of that orientation is shown with width and height exchanged.
constexpr bool on_its_side(int orientation) noexcept { return orientation >= 5; }

/// A stored image as it is to be shown.
Image turned(Image image, int orientation);

}  // namespace millrace
