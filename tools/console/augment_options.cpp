#include "tools/console/augment_options.h"

#include <string>

#include "tools/console/numbers.h"

namespace millrace {

void declare_augmentation(CommandLine& line, AugmentSpec& augment) {
  const auto number = [&](const char* name, const char* meta, const char* help, float& target) {
    line.value(name, meta, help, [&target](const std::string& t) { target = parse_rate(t); });
  };
  number("--rotate", "DEG", "turned by up to DEG degrees either way [0]", augment.rotate);
  number("--shift", "PIXELS", "moved by up to PIXELS in each direction [0]", augment.shift);
  number("--scale", "X", "enlarged by a factor of 1-X to 1+X [0]", augment.scale);
  number("--shear", "DEG", "slanted by up to DEG degrees [0]", augment.shear);
  number(
      "--elastic", "ALPHA",
      "pixels displaced by smooth random vectors of\n0.163 ALPHA / sigma pixels RMS (Simard 2003) "
      "[0]",
      augment.elastic);
  number("--elastic-sigma", "PIXELS", "of the Gaussian that smooths them, 1 to 128 [4]",
         augment.elastic_sigma);
}

void check_augmentation(CommandLine& line, AugmentSpec& augment) {
  if (augment.elastic != 0.0F) return;
  line.refuse_idle("--elastic-sigma", "--elastic", "--elastic with it", "none");
  augment.elastic_sigma = AugmentSpec().elastic_sigma;
}

}  // namespace millrace
