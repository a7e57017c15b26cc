#include "formats/synthetic_digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "formats/digit_strokes.h"
#include "formats/philox_words.h"

// Every byte must be the same on every processor, so what is drawn uses only operations that IEEE
// 754 rounds correctly: + - * / and square root, never sin, exp or a fused multiply-add (the build
// turns contraction off).

namespace millrace {
namespace {

using strokes::kLift;
using strokes::Style;
using strokes::Waypoint;

constexpr float kDigitSize = 20.0F;  // pixels of the larger side, as in MNIST
constexpr float kMargin = 0.5F;      // ink stays that far from the border
constexpr float kEdge = 1.1F;        // pixels over which ink fades to background
constexpr float kElastic =
    0.13F;  // deviation of the displacement field's control vectors, of the digit's height
constexpr float kTremble = 0.017F;  // deviation of each point on top of that
constexpr int kSubdivisions = 5;    // straight pieces of a curve between two waypoints

struct Vec {
  float x = 0;
  float y = 0;
};
constexpr Vec operator+(Vec a, Vec b) { return {a.x + b.x, a.y + b.y}; }
constexpr Vec operator-(Vec a, Vec b) { return {a.x - b.x, a.y - b.y}; }
constexpr Vec operator*(float s, Vec a) { return {s * a.x, s * a.y}; }
constexpr float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y; }

// The random numbers of one image.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint32_t purpose, std::uint64_t index) noexcept
      : words_(seed, purpose, index) {}

  std::uint32_t word() noexcept { return words_.next(); }
  // Uniform in [0, bound), to within bound / 2^32.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{word()} * bound) >> 32U);
  }
  float uniform(float low, float high) noexcept {
    return low + (high - low) * (static_cast<float>(word() >> 8U) * 0x1p-24F);
  }
  // Bell-shaped, mean 0 and deviation 1, within ±3.4: the sum of the bytes of a word, no logarithm
  // needed.
  float normal() noexcept {
    const std::uint32_t w = word();
    const std::uint32_t sum = (w & 255U) + ((w >> 8U) & 255U) + ((w >> 16U) & 255U) + (w >> 24U);
    return (static_cast<float>(sum) - 510.0F) * (1.0F / 147.8F);
  }

 private:
  PhiloxWords words_;
};

constexpr std::uint32_t kLabelPurpose = 0x6C61626C;
constexpr std::uint32_t kImagePurpose = 0x64696769;

// A smooth displacement of the unit square: a uniform cubic B-spline surface over random control
// vectors. Where Simard et al. blur a field of random vectors with a Gaussian, this evaluates the
// blur where the pen goes.
class ElasticField {
 public:
  ElasticField(Draws& draws, float strength) noexcept {
    for (Vec& v : control_) v = {strength * draws.normal(), strength * draws.normal()};
  }

  Vec operator()(Vec p) const noexcept {
    const Weights wx = weights(p.x);
    const Weights wy = weights(p.y);
    Vec sum;
    for (std::size_t j = 0; j < 4; ++j) {
      Vec row;
      for (std::size_t i = 0; i < 4; ++i)
        row = row + wx.w[i] * control_[(wy.cell + j) * kKnots + wx.cell + i];
      sum = sum + wy.w[j] * row;
    }
    return sum;
  }

 private:
  static constexpr std::size_t kCells = 3;
  static constexpr std::size_t kKnots = kCells + 3;

  struct Weights {
    std::size_t cell;
    std::array<float, 4> w;
  };
  static Weights weights(float u) noexcept {
    const float scaled = std::clamp(u, 0.0F, 1.0F) * static_cast<float>(kCells);
    const auto cell = std::min(static_cast<std::size_t>(scaled), kCells - 1);
    const float t = scaled - static_cast<float>(cell);
    const float s = 1.0F - t;
    const float sixth = 1.0F / 6.0F;
    return {cell,
            {sixth * s * s * s, sixth * (3.0F * t * t * t - 6.0F * t * t + 4.0F),
             sixth * (3.0F * s * s * s - 6.0F * s * s + 4.0F), sixth * t * t * t}};
  }

  std::array<Vec, kKnots * kKnots> control_;
};

// A straight piece of a pen stroke, in pixels, with the pen's radius at both ends.
struct Piece {
  Vec from;
  Vec to;
  float from_radius = 0;
  float to_radius = 0;
};

struct Drawing {
  std::array<Piece, strokes::kMaxWaypoints * std::size_t{kSubdivisions}> pieces;
  std::size_t count = 0;

  std::span<Piece> view() noexcept { return std::span(pieces).first(count); }
};

const Style& pick_style(Draws& draws, std::uint32_t digit) noexcept {
  const auto styles = strokes::styles_of(digit);
  std::uint32_t total = 0;
  for (const Style& style : styles) total += style.weight;
  std::uint32_t ticket = draws.below(total);
  std::size_t chosen = 0;
  while (ticket >= styles[chosen].weight) ticket -= styles[chosen++].weight;
  return styles[chosen];
}

// Rotation, slant and proportions of a writer's hand, about the middle of the unit square.
struct Affine {
  float xx, xy, yx, yy;

  explicit Affine(Draws& draws) noexcept {
    const float width = draws.uniform(0.78F, 1.38F);
    const float slant = 0.16F + 0.2F * draws.normal();
    // (1 - t²) / (1 + t²) and 2 t / (1 + t²) are the cosine and sine of an angle of about 2 t.
    const float t = 0.055F * draws.normal();
    const float cosine = (1.0F - t * t) / (1.0F + t * t);
    const float sine = 2.0F * t / (1.0F + t * t);
    xx = cosine * width;
    xy = -cosine * slant - sine;
    yx = sine * width;
    yy = -sine * slant + cosine;
  }
  Vec operator()(Vec p) const noexcept { return {xx * p.x + xy * p.y, yx * p.x + yy * p.y}; }
};

// Appends the Catmull-Rom curve through `points`. The ends of a closed curve, which a trembling
// hand does not bring together exactly, have the tangents of a smooth one.
void trace(std::span<const Vec> points, bool closed, float radius, Draws& draws,
           Drawing& drawing) noexcept {
  const float start = radius * (1.0F + 0.12F * draws.normal());
  const float end = radius * (1.0F + 0.14F * draws.normal());
  const std::size_t n = points.size();
  const auto spans = static_cast<float>(n - 1);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const Vec p1 = points[i];
    const Vec p2 = points[i + 1];
    const Vec p0 = i > 0 ? points[i - 1] : closed ? p1 + (points[n - 2] - points[n - 1]) : p1;
    const Vec p3 = i + 2 < n ? points[i + 2] : closed ? p2 + (points[1] - points[0]) : p2;
    Vec at = p1;
    float at_radius = start + (end - start) * (static_cast<float>(i) / spans);
    for (int k = 1; k <= kSubdivisions; ++k) {
      const float t = static_cast<float>(k) / static_cast<float>(kSubdivisions);
      const Vec a = 2.0F * p1;
      const Vec b = p2 - p0;
      const Vec c = 2.0F * p0 - 5.0F * p1 + 4.0F * p2 - p3;
      const Vec d = 3.0F * (p1 - p2) + p3 - p0;
      const Vec next = 0.5F * (a + t * (b + t * (c + t * d)));
      const float next_radius = start + (end - start) * ((static_cast<float>(i) + t) / spans);
      drawing.pieces[drawing.count++] = {at, next, at_radius, next_radius};
      at = next;
      at_radius = next_radius;
    }
  }
}

// The strokes of one digit in units of the 100-box, distorted.
void write(Draws& draws, std::uint32_t digit, Drawing& drawing) noexcept {
  const Style& style = pick_style(draws, digit);
  const ElasticField field(draws, kElastic);
  const Affine affine(draws);
  const float radius = std::max(0.62F, 1.2F + 0.26F * draws.normal());

  std::array<Vec, strokes::kMaxWaypoints> points;
  for (auto rest = style.path; !rest.empty();) {
    const auto stroke = rest.first(std::find(rest.begin(), rest.end(), kLift) - rest.begin());
    for (std::size_t i = 0; i < stroke.size(); ++i) {
      const Vec unit{static_cast<float>(stroke[i].x) * 0.01F,
                     static_cast<float>(stroke[i].y) * 0.01F};
      // A trembling hand, on top of the smooth field; a corner stays one point.
      const Vec tremble{kTremble * draws.normal(), kTremble * draws.normal()};
      const bool corner = i > 0 && stroke[i] == stroke[i - 1];
      points[i] = corner ? points[i - 1] : affine(unit + field(unit) + tremble);
    }
    trace(std::span(points).first(stroke.size()), stroke.front() == stroke.back(), radius, draws,
          drawing);
    rest = rest.subspan(std::min(stroke.size() + 1, rest.size()));
  }
}

// Scales the drawing to MNIST's size and moves its centre of mass near the centre of the image.
void place(Draws& draws, Drawing& drawing) noexcept {
  Vec low{1e9F, 1e9F};
  Vec high{-1e9F, -1e9F};
  for (const Piece& piece : drawing.view()) {
    for (const Vec p : {piece.from, piece.to}) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  }
  float widest = 0.0F;
  for (const Piece& piece : drawing.view())
    widest = std::max({widest, piece.from_radius, piece.to_radius});
  const float ink = widest + 0.5F * kEdge;  // how far it reaches around the pen's path
  const float size = kDigitSize * draws.uniform(0.9F, 1.0F);
  const float scale = (size - 2.0F * widest) / std::max(high.x - low.x, high.y - low.y);

  Vec moment;
  float mass = 0.0F;
  for (Piece& piece : drawing.view()) {
    piece.from = scale * (piece.from - low);
    piece.to = scale * (piece.to - low);
    const Vec along = piece.to - piece.from;
    const float weight = std::sqrt(dot(along, along)) * (piece.from_radius + piece.to_radius);
    moment = moment + weight * (0.5F * (piece.from + piece.to));
    mass += weight;
  }
  const Vec extent = scale * (high - low);
  const Vec centre = (1.0F / mass) * moment;
  const Vec drift{0.6F * draws.normal(), 0.6F * draws.normal()};
  constexpr float kMiddle = 0.5F * static_cast<float>(SyntheticDigits::kSide);
  constexpr float kLast = static_cast<float>(SyntheticDigits::kSide) - kMargin;
  const auto inside = [ink](float shift, float length) {
    return std::clamp(shift, kMargin + ink, kLast - ink - length);
  };
  const Vec shift{inside(kMiddle - centre.x + drift.x, extent.x),
                  inside(kMiddle - centre.y + drift.y, extent.y)};
  for (Piece& piece : drawing.view()) {
    piece.from = piece.from + shift;
    piece.to = piece.to + shift;
  }
}

// Paints a piece as a capsule: a pixel's ink depends on the distance of its centre from the pen's
// path.
void paint(const Piece& piece, std::span<float, SyntheticDigits::kPixels> ink) noexcept {
  constexpr std::size_t kSide = SyntheticDigits::kSide;
  const Vec along = piece.to - piece.from;
  const float length2 = dot(along, along);
  const float per_length2 = length2 > 1e-12F ? 1.0F / length2 : 0.0F;
  const float widening = piece.to_radius - piece.from_radius;
  const float reach = std::max(piece.from_radius, piece.to_radius) + 0.5F * kEdge;
  const auto range = [reach](float a, float b) {
    const auto first = static_cast<std::size_t>(std::max(0.0F, std::min(a, b) - reach));
    const auto last =
        std::min(SyntheticDigits::kSide, static_cast<std::size_t>(std::max(a, b) + reach + 1.0F));
    return std::pair(first, last);
  };
  const auto [left, right] = range(piece.from.x, piece.to.x);
  const auto [top, bottom] = range(piece.from.y, piece.to.y);
  for (std::size_t y = top; y < bottom; ++y) {
    for (std::size_t x = left; x < right; ++x) {
      const Vec p = Vec{static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F} - piece.from;
      const float t = std::clamp(dot(p, along) * per_length2, 0.0F, 1.0F);
      const Vec off = p - t * along;
      const float depth = piece.from_radius + t * widening - std::sqrt(dot(off, off));
      float& pixel = ink[y * kSide + x];
      pixel = std::max(pixel, depth * (1.0F / kEdge) + 0.5F);
    }
  }
}

}  // namespace

std::int32_t SyntheticDigits::label(std::uint64_t index) const noexcept {
  Draws draws(seed, kLabelPurpose, index / kClasses);
  std::array<std::int32_t, kClasses> order{};
  for (std::uint32_t i = 0; i < kClasses; ++i) {  // Fisher and Yates, inside out
    const std::uint32_t j = draws.below(i + 1);
    order[i] = order[j];
    order[j] = static_cast<std::int32_t>(i);
  }
  return order[index % kClasses];
}

std::int32_t SyntheticDigits::draw(std::uint64_t index,
                                   std::span<std::uint8_t> pixels) const noexcept {
  const std::int32_t digit = label(index);
  Draws draws(seed, kImagePurpose, index);
  Drawing drawing;
  write(draws, static_cast<std::uint32_t>(digit), drawing);
  place(draws, drawing);
  std::array<float, kPixels> ink{};
  for (const Piece& piece : drawing.view()) paint(piece, ink);
  for (std::size_t i = 0; i < kPixels; ++i) {
    pixels[i] = static_cast<std::uint8_t>(std::min(256.0F * ink[i], 255.0F));
  }
  return digit;
}

}  // namespace millrace
