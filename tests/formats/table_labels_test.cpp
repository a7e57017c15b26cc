#include "formats/table_labels.h"

#include <gtest/gtest.h>

#include "formats/dataset.h"
#include "formats/idx_pair.h"
#include "formats/targets.h"

namespace millrace {
namespace {

TEST(LabelReader, ReadsNumbers) {
  auto reader = LabelReader::of_numbers(10);
  EXPECT_EQ(reader.read("9"), 9);
  EXPECT_EQ(reader.read("2.0"), 2);
  for (const auto* cell : {"10", "-1", "", "cat", "0.5"}) EXPECT_FALSE(reader.read(cell)) << cell;
  EXPECT_EQ(reader.expected(), "a whole number in [0, 10) as the label");
  EXPECT_TRUE(reader.names().empty());
}

TEST(LabelReader, ReadsAnythingAsNothing) {
  auto reader = LabelReader::of_anything();
  for (const auto* cell : {"", "7", "-1", "cat"}) EXPECT_EQ(reader.read(cell), 0) << cell;
  EXPECT_TRUE(reader.names().empty());
}

TEST(LabelReader, NumbersNamesAsTheyCome) {
  auto reader = LabelReader::of_names(2);
  EXPECT_EQ(reader.read("dog"), 0);
  EXPECT_EQ(reader.read("cat"), 1);
  EXPECT_EQ(reader.read("dog"), 0);
  EXPECT_FALSE(reader.read("cow")) << "the third of two";
  for (const auto* cell : {"", "7", "-1e3"}) EXPECT_FALSE(reader.read(cell)) << cell;
  EXPECT_FALSE(reader.read(std::string(256, 'x')));
  ASSERT_EQ(reader.names().size(), 2U);
  EXPECT_EQ(reader.names()[0], "dog");
}

TEST(LabelReader, KnowsItsClasses) {
  auto reader = LabelReader::of_classes(
      std::make_shared<const ClassNumbers>(ClassNumbers{{"a \"b\"", 0}, {"cat", 1}}));
  EXPECT_EQ(reader.read("cat"), 1);
  EXPECT_EQ(reader.read("a \"\"b\"\""), 0);
  for (const auto* cell : {"Cat", "", "1", "dog"}) EXPECT_FALSE(reader.read(cell)) << cell;
  EXPECT_EQ(reader.expected(), "one of the 2 classes of the training set as the label");
}

TEST(ClassNumbers, AreAllNamesSorted) {
  std::vector<LabelReader> readers(3, LabelReader::of_names(100));
  for (const auto* name : {"dog", "cat"}) readers[0].read(name);
  for (const auto* name : {"cat", "Zebra", R"(say ""hi"")"}) readers[2].read(name);
  EXPECT_EQ(classes_of(readers),
            (ClassNumbers{{"Zebra", 0}, {"cat", 1}, {"dog", 2}, {"say \"hi\"", 3}}));
}

TEST(TableLabels, OfTargetsAreFiniteNumbers) {
  auto reader = LabelReader::of_targets();
  EXPECT_EQ(reader.read("0.1"), target_word(0.1F));
  EXPECT_EQ(reader.read("-1e3"), target_word(-1000));
  EXPECT_EQ(reader.read("1e-60"), target_word(0));
  for (const auto* cell : {"", "cat", "nan", "inf", "1e39"})
    EXPECT_FALSE(reader.read(cell)) << cell;
  EXPECT_EQ(reader.expected(), "a finite number (float32) as the target");
  EXPECT_EQ(reader.advice("2,5"), " (decimals have a point)");
  EXPECT_EQ(reader.advice("cat"), "");
}

TEST(TableLabels, AreAdvisedToBeTargetsWhereTheyAreNumbers) {
  const auto any = LabelReader::of_numbers(kMostIdxClasses);
  EXPECT_EQ(any.advice("0.5"), kRegressionAdvice);
  EXPECT_EQ(any.advice("cat"), "");
  EXPECT_EQ(LabelReader::of_numbers(10).advice("0.5"), "") << "where classes are known";
  EXPECT_EQ(LabelReader::of_names(10).advice("0.5"), "");
}

}  // namespace
}  // namespace millrace
