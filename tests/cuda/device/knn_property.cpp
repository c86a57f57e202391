// The properties of knn_graph on the device.
#include "on_device.hpp"

#include "../../property/knn_property.cpp"
