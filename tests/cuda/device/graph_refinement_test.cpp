// The worked example of the refinement on the device.
#include "on_device.hpp"

#include "../../golden/graph_refinement_test.cpp"
