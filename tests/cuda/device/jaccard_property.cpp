// The properties of jaccard_graph on the device.
#include "on_device.hpp"

#include "../../property/jaccard_property.cpp"
