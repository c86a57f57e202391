// Parameter type for views.
#pragma once

#include <concepts>

namespace graft {

/// What operators take where they read a `View`: the view itself, or its owner, a temporary included.
///
/// Storing a view of a temporary owner does not compile (`GraphView v = knn_graph(...)`); passing the temporary
/// to an operator does (`normalize(knn_graph(...))`), because it outlives the call. Use it for parameters only.
template <class View>
class In : public View {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): the conversion is the purpose
  In(const View& view) : View(view) {}

  template <class Owner>
    requires(!std::derived_from<Owner, View> &&
             requires(const Owner& owner) {
               { owner.view() } -> std::convertible_to<View>;
             })
  // NOLINTNEXTLINE(google-explicit-constructor): the conversion is the purpose
  In(const Owner& owner) : View(owner.view()) {}

  /// A view that converts to this one, e.g. MatrixView<float> to MatrixView<const float>.
  template <class Other>
    requires(!std::derived_from<Other, View> && !requires(const Other& other) { other.view(); } &&
             std::convertible_to<const Other&, View>)
  // NOLINTNEXTLINE(google-explicit-constructor): the conversion is the purpose
  In(const Other& other) : View(other) {}
};

}  // namespace graft
