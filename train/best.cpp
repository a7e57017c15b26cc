#include "train/best.h"

#include <algorithm>

namespace millrace {

bool is_better(const EpochResult& a, const EpochResult& b) {
  if (a.val_acc && b.val_acc && *a.val_acc != *b.val_acc) return *a.val_acc > *b.val_acc;
  if (a.val_r2 && b.val_r2 && *a.val_r2 != *b.val_r2) return *a.val_r2 > *b.val_r2;
  if (a.val_loss && b.val_loss) return *a.val_loss < *b.val_loss;
  return a.train_loss < b.train_loss;
}

bool last_is_best(const std::vector<EpochResult>& history) {
  return !history.empty() &&
         std::all_of(history.begin(), history.end() - 1,
                     [&](const EpochResult& e) { return is_better(history.back(), e); });
}

}  // namespace millrace
