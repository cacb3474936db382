// Compiled twice, with other flags and another name each: GAL_TEST_UNIT.
#include "units.hpp"

#include <gal/gal.hpp>

#include <atomic>
#include <thread>
#include <vector>

#define GAL_TEST_TEXT_(text) #text
#define GAL_TEST_TEXT(text) GAL_TEST_TEXT_(text)

unit_report GAL_TEST_UNIT() {
  unit_report result;
  result.flags = GAL_TEST_TEXT(GAL_ABI);
  result.register_floats = static_cast<int>(gal::detail::plain_tiles<float>::width);

  const gal::eigen_backend two(2);
  std::vector<std::thread::id> workers(1 << 20);
  two.for_each(static_cast<gal::index_type>(workers.size()),
               [at = workers.data()](gal::index_type i) { at[i] = std::this_thread::get_id(); });
  result.threads = workers.front() == workers.back() ? 1 : 2;

  gal::nn::mlp<float> model({13, 37, 5}, {.activation = gal::nn::tanh, .seed = 1}, two);
  gal::adam<float> optimizer;
  gal::adjust trainer(model, optimizer, gal::mse());
  const gal::matrix<float> x(13, 40, 0.3f);
  const gal::matrix<float> y(5, 40, 1.0f);
  for (int k = 0; k < 50; ++k) {
    result.loss = trainer.step(x, y).loss;
  }
  return result;
}
