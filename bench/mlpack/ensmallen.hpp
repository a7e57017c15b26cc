// Stands in for ensmallen, mlpack's library of optimizers, which neither Debian 12 nor Python's
// package index has: the names of it that mlpack's network uses. net.cpp brings the one optimizer
// that it needs.
#pragma once

#include <type_traits>

namespace ens {

// Defaults of mlpack's templates, which are given others here.
class RMSProp;
class GridSearch;

namespace traits {

// Whether an optimizer has a limit of steps, which FFN::Train then compares with the number of
// samples.
template <typename Optimizer>
struct HasMaxIterationsSignature : std::false_type {};

}  // namespace traits
}  // namespace ens
