// The library's names beside those that C and POSIX put into the global namespace: a program may take all of ours by
// `using namespace gal`.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <gal/gal.hpp>

#include <doctest/doctest.h>

#include <type_traits>
#include <vector>

using namespace gal;

TEST_CASE("every public name can be used unqualified beside those of C and POSIX") {
  const index_type n = 3;
  matrix<float> x(2, n, 1.0f), y(1, n, 0.5f);
  const shape size = x.shape();
  CHECK(size == shape{2, 3});
  const matrix_view<float> view_of_x = view(x);
  CHECK(view_of_x.columns() == n);
  static_assert(std::is_same_v<scalar_of<matrix<double>>, double>);
  const eigen_backend processor(1);
  processor.product(transpose::no, transpose::yes, 1.0f, std::as_const(x).view(), std::as_const(x).view(),
                    0.0f, matrix<float>(2, 2).view());
  const nothing none;
  CHECK(none == nothing{});

  nn::mlp<float> network({2, 1});
  adam<float> optimizer({.schedule = cosine_schedule(10), .clipping = {.norm = 1.0}});
  adjust_options options = recommended();
  options.objective = objective::remainder;
  options.safeguard = safeguard::better;
  options.decision = decision::per_sample;
  options.normalisation = normalisation::gate;
  gal::adjust trainer(network, optimizer, mse{}, options);
  const step_report report = trainer.step(x, y);
  CHECK(!report.non_finite);
  CHECK(mean_squared_error(y, y) == 0.0);
  CHECK(mean(y) == doctest::Approx(0.5));
  const std::vector<index_type> first{0};
  CHECK(take(y, first).columns() == 1);
  CHECK(check_gradients(network, mse{}, x, y, {.step = 1e-2, .tolerance = 1e-2}).passed);
  CHECK(random_uniform(1, 2) < 1.0);
  CHECK_THROWS_AS(eigen_backend(0), gal::error);  // <error.h> of glibc alone has an `error` too
}
