// SPDX-License-Identifier: Apache-2.0
// What is recommended follows from accuracy, time and the target's own data.
#include "app/choose_scheme.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dlpu {
namespace {

using testing::HasSubstr;

SchemeOffer Offer(QuantScheme scheme, double db, double ms) {
  SchemeOffer offer;
  offer.scheme = scheme;
  offer.sqnr_db = db;
  offer.time.emplace();
  offer.time->total_ms = ms;
  return offer;
}

SchemeChoice Between(SchemeOffer per_tensor, SchemeOffer per_channel) {
  SchemeChoice choice;
  choice.offers = {std::move(per_tensor), std::move(per_channel)};
  return choice;
}

constexpr QuantScheme kTensor = QuantScheme::kInt8PerTensor;
constexpr QuantScheme kChannel = QuantScheme::kInt8PerChannel;

TEST(Recommend, TakesTheFasterOfTwoThatLoseLittle) {
  SchemeChoice choice = Between(Offer(kTensor, 28, 3), Offer(kChannel, 31, 8));
  Recommend(*FindTarget("artpec8"), choice);
  EXPECT_EQ(choice.recommended, 0);
  EXPECT_THAT(choice.why, HasSubstr("2.7 times as fast"));
}

TEST(Recommend, TakesAccuracyWhereSpeedCostsTooMuch) {
  SchemeChoice choice = Between(Offer(kTensor, 12, 3), Offer(kChannel, 31, 8));
  Recommend(*FindTarget("artpec8"), choice);
  EXPECT_EQ(choice.recommended, 1);
  EXPECT_THAT(choice.why, HasSubstr("per-tensor loses 19.0 dB more"));
}

TEST(Recommend, TakesWhatTheTargetAsksForAtTheSameSpeed) {
  SchemeChoice choice = Between(Offer(kTensor, 28, 3), Offer(kChannel, 27.5, 3.05));
  Recommend(*FindTarget("artpec9"), choice);
  EXPECT_EQ(choice.recommended, 1);
  Recommend(*FindTarget("artpec8"), choice);
  EXPECT_EQ(choice.recommended, 0);
}

TEST(Recommend, NeverTakesADeadModel) {
  SchemeChoice choice = Between(Offer(kTensor, 28, 3), Offer(kChannel, 27, 8));
  choice.offers[0].dead = true;
  Recommend(*FindTarget("artpec8"), choice);
  EXPECT_EQ(choice.recommended, 1);
  choice.offers[1].dead = true;
  Recommend(*FindTarget("artpec8"), choice);
  EXPECT_EQ(choice.recommended, -1);
}

TEST(ChooseSchemes, DigitsArePricedOnBothChipsAndTheRecommendationsDiffer) {
  const Result<LoadedModel> model = LoadModel("digits");
  const Result<CalibrationSet> set = FindCalibration("tests/data/digits", 100);
  ASSERT_TRUE(model.ok() && set.ok());
  const std::vector<Target> targets = {*FindTarget("artpec8"), *FindTarget("artpec9"),
                                       *FindTarget("cpu")};
  const auto choices = ChooseSchemes(*model, targets, {}, *set, 1, nullptr);
  ASSERT_TRUE(choices.ok()) << choices.error().message;
  ASSERT_EQ(choices->size(), 2u);  // the CPU wants no quantized model
  for (const SchemeChoice& choice : *choices) {
    ASSERT_EQ(choice.offers.size(), 2u);
    for (const SchemeOffer& offer : choice.offers) {
      EXPECT_GT(offer.sqnr_db, 25);
      ASSERT_TRUE(offer.time.has_value()) << offer.time_error;
      EXPECT_GT(offer.time->total_ms, 0);
    }
    ASSERT_GE(choice.recommended, 0);
  }
  EXPECT_EQ((*choices)[0].offers[static_cast<size_t>((*choices)[0].recommended)].scheme, kTensor);
  EXPECT_EQ((*choices)[1].offers[static_cast<size_t>((*choices)[1].recommended)].scheme, kChannel);
  const std::string text = ChoicesText(*choices);
  EXPECT_THAT(text, HasSubstr("recommended"));
  const auto only_cpu = ChooseSchemes(*model, {*FindTarget("cpu")}, {}, *set, 1, nullptr);
  EXPECT_FALSE(only_cpu.ok());
}

}  // namespace
}  // namespace dlpu
