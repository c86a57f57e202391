#include "train/settings.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>

#include "train/model.hpp"
#include "train/nearest_name.hpp"
#include "train/trainer_settings.hpp"

#include "../support/files.hpp"

namespace graft::training {
namespace settings_test {
namespace {

using test::expect_error;
using test::message_of;

Settings sample() {
  return Settings({{"rate", 0.5, "a real number", 0.0, 1.0},
                   {"layers", std::int64_t{2}, "a whole number", 1.0, 8.0},
                   {"frozen", false, "a flag"},
                   {"weights", std::string("binary"), "a word", {}, {}, {"binary", "cosine"}},
                   {"threshold", 0.5, "of a modality", -1.0, 1.0, {}, true},
                   {"threshold_quantile", 0.0, "of a modality", 0.0, 1.0, {}, true},
                   {"name", std::string("x"), "any word"}});
}

TEST_CASE("settings: hold their defaults until they are assigned") {
  Settings settings = sample();
  CHECK(settings.real("rate") == 0.5);
  CHECK(settings.integer("layers") == 2);
  CHECK_FALSE(settings.flag("frozen"));
  CHECK(settings.word("weights") == "binary");
  settings.assign("rate=1e-3");
  settings.assign("layers=8");
  settings.assign("frozen=on");
  settings.assign("weights=cosine");
  settings.assign("name=a=b");
  CHECK(settings.real("rate") == 1e-3);
  CHECK(settings.integer("layers") == 8);
  CHECK(settings.real("layers") == 8.0);
  CHECK(settings.flag("frozen"));
  CHECK(settings.word("weights") == "cosine");
  CHECK(settings.word("name") == "a=b");
}

TEST_CASE("settings: a flag is true or false in the usual words") {
  for (const char* yes : {"true", "yes", "on", "1"}) {
    Settings settings = sample();
    settings.assign("frozen", yes);
    CHECK(settings.flag("frozen"));
  }
  for (const char* no : {"false", "no", "off", "0"}) {
    Settings settings = sample();
    settings.assign("frozen=true");
    settings.assign("frozen", no);
    CHECK_FALSE(settings.flag("frozen"));
  }
}

TEST_CASE("settings: a value for a modality stands beside the setting's own") {
  Settings settings = sample();
  settings.assign("threshold_image=0.7");
  settings.assign("threshold=0.2");
  CHECK(settings.real("threshold", "image") == 0.7);
  CHECK(settings.real("threshold", "text") == 0.2);
  CHECK(settings.real("threshold") == 0.2);
  settings.assign("threshold_image=0.8");
  CHECK(settings.real("threshold", "image") == 0.8);
}

TEST_CASE("settings: the longest name that fits takes a modality's value") {
  Settings settings = sample();
  settings.assign("threshold_quantile=0.25");
  settings.assign("threshold_quantile_image=0.75");
  CHECK(settings.real("threshold_quantile", "image") == 0.75);
  CHECK(settings.real("threshold_quantile", "text") == 0.25);
  CHECK(settings.real("threshold", "quantile_image") == 0.5);
}

TEST_CASE("settings: a modality that is not there is refused with the nearest that is") {
  Settings settings = sample();
  settings.assign("threshold_imgae=0.7");
  const std::vector<std::string> modalities = {"image", "text"};
  expect_error<InvalidArgument>([&] { settings.check_modalities(modalities); },
                                {"settings = threshold_imgae=0.7", "no such modality", "did you mean image?", "text"});
  Settings good = sample();
  good.assign("threshold_image=0.7");
  CHECK_NOTHROW(good.check_modalities(modalities));
}

TEST_CASE("settings: unknown names are refused with the nearest and the rest") {
  Settings settings = sample();
  expect_error<InvalidArgument>([&] { settings.assign("layrs=3"); }, {"settings = layrs=3", "no such setting",
                                                                      "did you mean layers?", "threshold_quantile"});
  const std::string far = message_of<InvalidArgument>([&] { settings.assign("zzzzzzzzzzzzzzzz=3"); });
  CHECK(far.find("did you mean") == std::string::npos);
  CHECK(far.find("layers") != std::string::npos);
  expect_error<InvalidArgument>([&] { settings.assign("rate_image=0.1"); }, {"no such setting"});
  expect_error<InvalidArgument>([&] { settings.assign("threshold_=0.1"); }, {"no such setting"});
  expect_error<InvalidArgument>([&] { settings.assign("layers"); }, {"settings = layers", "key=value"});
  expect_error<InvalidArgument>([&] { settings.assign("=3"); }, {"settings = =3", "key=value"});
}

TEST_CASE("settings: values of another kind or out of range are refused") {
  Settings settings = sample();
  for (const char* bad : {"", "x", "0.5x", " 0.5", "nan", "inf", "-inf", "1e999", "1.0001", "-0.1", "0,5"}) {
    INFO("rate = ", std::string(bad));
    expect_error<InvalidArgument>([&] { settings.assign("rate", bad); }, {"settings = rate=", "a number in [0, 1]"});
  }
  for (const char* bad : {"", "2.0", "1e1", "0", "9", "-3", "99999999999999999999"}) {
    INFO("layers = ", std::string(bad));
    expect_error<InvalidArgument>([&] { settings.assign("layers", bad); },
                                  {"settings = layers=", "a whole number in [1, 8]"});
  }
  expect_error<InvalidArgument>([&] { settings.assign("frozen=maybe"); }, {"settings = frozen=maybe", "true or false"});
  expect_error<InvalidArgument>([&] { settings.assign("weights=ones"); },
                                {"settings = weights=ones", "binary, cosine"});
  expect_error<InvalidArgument>([&] { settings.assign("threshold_image=2"); }, {"threshold_image=2", "[-1, 1]"});
  CHECK(settings.real("rate") == 0.5);
  CHECK(settings.integer("layers") == 2);
}

TEST_CASE("settings: a later spec of the same name replaces the earlier") {
  const Settings settings({{"rate", 0.5, "first"}, {"other", true, "x"}, {"rate", 0.25, "second"}});
  REQUIRE(settings.specs().size() == 2);
  CHECK(settings.specs()[0].description == "second");
  CHECK(settings.real("rate") == 0.25);
}

TEST_CASE("settings: values are listed in the order of the specs, then by modality") {
  Settings settings = sample();
  settings.assign("threshold_text=0.1");
  settings.assign("threshold_image=0.2");
  std::vector<std::string> names;
  for (const auto& [name, value] : settings.values()) names.push_back(name + "=" + text_of(value));
  CHECK(names == std::vector<std::string>{"rate=0.5", "layers=2", "frozen=false", "weights=binary", "threshold=0.5",
                                          "threshold_quantile=0", "name=x", "threshold_image=0.2",
                                          "threshold_text=0.1"});
}

TEST_CASE("settings: asking for a name that is not there is a fault of the program") {
  const Settings settings = sample();
  CHECK_THROWS_AS(static_cast<void>(settings.real("nothing")), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(settings.real("frozen")), std::logic_error);
}

ModelEntry entry_with(std::vector<SettingSpec> specs) {
  return {.name = "m", .description = "d", .settings = std::move(specs)};
}

ModelEntry named(const char* name) { return {.name = name, .description = "", .settings = {}}; }

TEST_CASE("trainer settings: the protocol's defaults, which a model may replace") {
  const Settings plain = default_settings(entry_with({}));
  CHECK(plain.real("learning_rate") == 1e-3);
  CHECK(plain.real("weight_decay") == 0.0);
  CHECK(plain.integer("train_batch_size") == 2048);
  CHECK(plain.integer("epochs") == 1000);
  CHECK(plain.integer("stopping_step") == 20);
  CHECK(plain.integer("eval_step") == 1);
  const Settings own = default_settings(entry_with({{"learning_rate", 1e-4, "slower"}, {"reg_weight", 0.1, "r"}}));
  CHECK(own.real("learning_rate") == 1e-4);
  CHECK(own.real("reg_weight") == 0.1);
}

TEST_CASE("trainer settings: out of range is refused, and so is a run that would never be evaluated") {
  const ModelEntry entry = entry_with({});
  const auto with = [&](const char* text) {
    return [&entry, text] { settings_with(entry, std::vector<std::string>{text}); };
  };
  expect_error<InvalidArgument>(with("epochs=0"), {"settings = epochs=0"});
  expect_error<InvalidArgument>(with("train_batch_size=0"), {"settings = train_batch_size=0"});
  expect_error<InvalidArgument>(with("stopping_step=-1"), {"settings = stopping_step=-1"});
  expect_error<InvalidArgument>(with("learning_rate=-1"), {"settings = learning_rate=-1"});
  expect_error<InvalidArgument>(with("learning_rate_decay_epochs=0"), {"settings = learning_rate_decay_epochs=0"});
  expect_error<InvalidArgument>(with("eval_step=1001"), {"settings = eval_step=1001", "at most epochs = 1000"});
  expect_error<InvalidArgument>(with("lerning_rate=1"), {"did you mean learning_rate?"});
}

TEST_CASE("trainer settings: the learning rate decays by a continuous power of the epoch") {
  const ModelEntry entry = entry_with({});
  const std::vector<std::string> texts = {"learning_rate=0.01", "learning_rate_decay=0.25",
                                          "learning_rate_decay_epochs=4"};
  const Settings settings = settings_with(entry, texts);
  CHECK(learning_rate_of(settings, 0) == 0.01);
  CHECK(learning_rate_of(settings, 2) == doctest::Approx(0.005).epsilon(1e-12));
  CHECK(learning_rate_of(settings, 8) == doctest::Approx(0.01 / 16).epsilon(1e-12));
  CHECK(learning_rate_of(default_settings(entry), 777) == 1e-3);
}

TEST_CASE("edit distance: insertions, deletions, substitutions and swaps count one each") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("freedom", "freedom") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("fredom", "freedom") == 1);
  CHECK(edit_distance("freedoms", "freedom") == 1);
  CHECK(edit_distance("freebom", "freedom") == 1);
  CHECK(edit_distance("frededom", "freedom") == 1);
  CHECK(edit_distance("fredeom", "freedom") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("abc", "xyz") == 3);
}

TEST_CASE("model registry: a model is found by its name, another is refused with the nearest") {
  ModelRegistry registry;
  expect_error<InvalidArgument>([&] { static_cast<void>(registry.find("bpr")); }, {"model = bpr", "there are none"});
  registry.add(named("freedom"));
  registry.add(named("lightgcn"));
  CHECK(registry.find("lightgcn").name == "lightgcn");
  expect_error<InvalidArgument>([&] { static_cast<void>(registry.find("fredom")); },
                                {"model = fredom", "no such model", "did you mean freedom?", "lightgcn"});
  expect_error<InvalidArgument>([&] { static_cast<void>(registry.find("LightGCN")); },
                                {"model = LightGCN", "lightgcn"});
  expect_error<InvalidArgument>([&] { registry.add(named("freedom")); }, {"freedom", "already"});
}

}  // namespace
}  // namespace settings_test
}  // namespace graft::training
