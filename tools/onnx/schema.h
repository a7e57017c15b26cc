#pragma once

#include <cstdint>

// The fields of ONNX's messages that an exported model has, by their numbers in the schema that
// ONNX publishes: https://github.com/onnx/onnx/blob/v1.8.0/onnx/onnx.proto (IR version 7). Numbers
// never change in later versions.

namespace millrace::onnx {

inline constexpr std::int64_t kIrVersion = 7;  ///< the one that came with opset 13
inline constexpr std::int64_t kOpset = 13;     ///< of the default domain ai.onnx

namespace model {  // ModelProto
inline constexpr std::uint32_t kIrVersion = 1;
inline constexpr std::uint32_t kProducerName = 2;
inline constexpr std::uint32_t kGraph = 7;
inline constexpr std::uint32_t kOpsetImport = 8;
inline constexpr std::uint32_t kMetadataProps = 14;
}  // namespace model
namespace opset {  // OperatorSetIdProto
inline constexpr std::uint32_t kDomain = 1;
inline constexpr std::uint32_t kVersion = 2;
}  // namespace opset
namespace entry {  // StringStringEntryProto
inline constexpr std::uint32_t kKey = 1;
inline constexpr std::uint32_t kValue = 2;
}  // namespace entry
namespace graph {  // GraphProto
inline constexpr std::uint32_t kNode = 1;
inline constexpr std::uint32_t kName = 2;
inline constexpr std::uint32_t kInitializer = 5;
inline constexpr std::uint32_t kInput = 11;
inline constexpr std::uint32_t kOutput = 12;
}  // namespace graph
namespace node {  // NodeProto
inline constexpr std::uint32_t kInput = 1;
inline constexpr std::uint32_t kOutput = 2;
inline constexpr std::uint32_t kName = 3;
inline constexpr std::uint32_t kOpType = 4;
inline constexpr std::uint32_t kAttribute = 5;
}  // namespace node
namespace attribute {  // AttributeProto
inline constexpr std::uint32_t kName = 1;
inline constexpr std::uint32_t kFloat = 2;
inline constexpr std::uint32_t kInt = 3;
inline constexpr std::uint32_t kType = 20;
inline constexpr std::int64_t kTypeFloat = 1;  ///< AttributeType.FLOAT
inline constexpr std::int64_t kTypeInt = 2;    ///< AttributeType.INT
}  // namespace attribute
namespace tensor {  // TensorProto
inline constexpr std::uint32_t kDims = 1;
inline constexpr std::uint32_t kDataType = 2;
inline constexpr std::uint32_t kName = 8;
inline constexpr std::uint32_t kRawData = 9;   ///< little-endian, row-major
inline constexpr std::int64_t kTypeFloat = 1;  ///< DataType.FLOAT
inline constexpr std::int64_t kTypeUInt8 = 2;  ///< DataType.UINT8
}  // namespace tensor
namespace value {  // ValueInfoProto
inline constexpr std::uint32_t kName = 1;
inline constexpr std::uint32_t kType = 2;
}  // namespace value
namespace type {  // TypeProto, TypeProto.Tensor, TensorShapeProto, TensorShapeProto.Dimension
inline constexpr std::uint32_t kTensor = 1;
inline constexpr std::uint32_t kElement = 1;
inline constexpr std::uint32_t kShape = 2;
inline constexpr std::uint32_t kDim = 1;
inline constexpr std::uint32_t kDimValue = 1;
inline constexpr std::uint32_t kDimParam = 2;
}  // namespace type

}  // namespace millrace::onnx
