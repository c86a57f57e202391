// The properties of top_k_scores on the device.
#include "on_device.hpp"

#include "../../property/top_k_scores_property.cpp"
