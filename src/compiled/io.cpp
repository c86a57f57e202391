// The compiled bodies of include/graft/io.
#include <graft/detail/inter_impl.hpp>
#include <graft/detail/npy_impl.hpp>
#include <graft/detail/npz_impl.hpp>
