// A program that writes a checkpoint after every step is killed again and again, at any moment, and started again. It has
// to find a whole checkpoint every time, and to end where the program that nobody disturbs ends, bit for bit.
//   checkpoint_killed FOLDER          kills and starts the training
//   checkpoint_killed FOLDER NAME     trains, from NAME.safetensors where that is there; ends with NAME.final
#include <gal/backends/eigen.hpp>
#include <gal/data/batches.hpp>
#include <gal/data/dataset.hpp>
#include <gal/io/checkpoint.hpp>
#include <gal/loss/entrywise.hpp>
#include <gal/nn/mlp.hpp>
#include <gal/optim/optimizers.hpp>
#include <gal/train/adjust.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace {

constexpr std::int64_t last_step = 600;

int train(const std::string& name) {
  gal::dataset<float> data{gal::matrix<float>(20, 64), gal::matrix<float>(3, 64)};
  gal::random_stream random{1};
  for (gal::matrix<float>* part : {&data.features, &data.targets}) {
    for (gal::index_type i = 0; i < part->size(); ++i) {
      part->data()[i] = static_cast<float>(random.normal());
    }
  }
  gal::nn::mlp<float> model({20, 200, 100, 3}, {.seed = 1});
  gal::adam<float> optimizer({.learning_rate = 1e-3});
  gal::adjust trainer(model, optimizer, gal::mse(), {.hidden = {8}});
  gal::batches batches(data, 10, /*seed=*/2);
  const auto run = [&](auto& visit) {
    visit("trainer", trainer);
    visit("batches", batches);
  };
  const std::string file = name + ".safetensors";
  if (std::filesystem::exists(file)) {
    gal::load_checkpoint(file, run);
  }
  while (trainer.steps() < last_step) {
    for (const auto [x, y] : batches) {
      trainer.step(x, y);
      gal::save_checkpoint(file, run);
      if (trainer.steps() == last_step) {
        break;
      }
    }
  }
  gal::save_checkpoint(name + ".final", run);
  return 0;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Starts this program as a training, and kills it after a while, if it is not done: its exit code, or -1.
int run_for(const char* program, const std::string& folder, const char* name,
            std::chrono::milliseconds time) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::execl(program, program, folder.c_str(), name, nullptr);
    ::_exit(127);
  }
  int status = 0;
  if (time.count() > 0) {
    std::this_thread::sleep_for(time);
    ::kill(child, SIGKILL);
  }
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int kill_and_compare(const char* program, const std::string& folder) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  if (run_for(program, folder, "whole", {}) != 0) {
    std::puts("the undisturbed run failed");
    return 1;
  }
  int kills = 0;
  int result = -1;
  int whole = 0;
  while (result < 0 && kills < 2000) {
    // Ever longer, so that a slow disk comes to its end, too.
    const auto time = std::chrono::milliseconds((5 + kills * 7 % 40) * (1 + kills / 50));
    result = run_for(program, folder, "killed", time);
    kills += result < 0 ? 1 : 0;
    whole += std::filesystem::exists(folder + "/killed.safetensors") ? 1 : 0;
  }
  const bool same = result == 0 && contents(folder + "/killed.final") == contents(folder + "/whole.final") &&
                    !contents(folder + "/whole.final").empty();
  std::printf("killed %d times, exit code %d, checkpoint found %d times: the bits are %s\n", kills, result,
              whole, same ? "the same" : "different");
  std::filesystem::remove_all(folder);
  return same && kills >= 5 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const std::string folder = count > 1 ? arguments[1] : "checkpoint_killed";
    return count > 2 ? train(folder + "/" + arguments[2]) : kill_and_compare(arguments[0], folder);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "checkpoint_killed: %s\n", failure.what());
    return 1;
  }
}
