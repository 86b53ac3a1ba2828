// SPDX-License-Identifier: Apache-2.0
// larod.h: job requests.
#include <fmt/format.h>

#include "larod/api/handles.h"
#include "larod/log.h"

using namespace dlpu::larod;  // NOLINT: the API is global, what it is made of is not

namespace {

// Copies of the tensors as they are now.
Outcome<std::vector<Buffer>> Snapshot(const char* what, larodTensor** tensors, size_t count) {
  const std::string invalid = fmt::format("{} tensors are invalid: ", what);
  if (tensors == nullptr) return BadArgument(invalid + "Tensor array is null");
  // An array of ours says itself how many there are.
  const size_t registered = Registry<larodTensor*>::Get().Count(tensors);
  if (registered != 0 && count > registered - 1) {
    return BadArgument(
        fmt::format("{}Tensor array has {} tensors, not {}", invalid, registered - 1, count));
  }
  std::vector<Buffer> buffers;
  for (size_t i = 0; i < count; ++i) {
    const larodTensor* tensor = tensors[i];
    if (tensor == nullptr) return BadArgument(fmt::format("{}Tensor {} is null", invalid, i));
    if (!Lives(tensor)) return BadArgument(fmt::format("{}Tensor {} does not exist", invalid, i));
    const TensorSpec& spec = tensor->buffer.spec;
    if (spec.dims.len != 0 && spec.pitches.len != 0 && spec.dims.len != spec.pitches.len) {
      return BadArgument(fmt::format("{}Tensor {} has {} dimensions but {} pitches", invalid, i,
                                     spec.dims.len, spec.pitches.len));
    }
    buffers.push_back(tensor->buffer);
  }
  return buffers;
}

}  // namespace

larodJobRequest* larodCreateJobRequest(const larodModel* model, larodTensor** inputTensors,
                                       size_t numInputs, larodTensor** outputTensors,
                                       size_t numOutputs, larodMap* params, larodError** error) {
  auto request = std::make_unique<larodJobRequest>();
  larodJobRequest* const handle = request.get();
  Registry<larodJobRequest>::Get().Add(handle);
  const bool made = larodSetJobRequestModel(handle, model, error) &&
                    larodSetJobRequestInputs(handle, inputTensors, numInputs, error) &&
                    larodSetJobRequestOutputs(handle, outputTensors, numOutputs, error) &&
                    (params == nullptr || larodSetJobRequestParams(handle, params, error));
  if (made) return request.release();
  Registry<larodJobRequest>::Get().Remove(handle);
  return nullptr;
}

void larodDestroyJobRequest(larodJobRequest** jobReq) {
  if (jobReq == nullptr || *jobReq == nullptr) return;
  if (Registry<larodJobRequest>::Get().Remove(*jobReq)) delete *jobReq;
  *jobReq = nullptr;
}

bool larodSetJobRequestModel(larodJobRequest* jobReq, const larodModel* model, larodError** error) {
  LAROD_NEED("Job request", jobReq, false);
  LAROD_NEED("Model", model, false);
  jobReq->job.model = model->info.id;
  return true;
}

bool larodSetJobRequestInputs(larodJobRequest* jobReq, larodTensor** tensors,
                              const size_t numTensors, larodError** error) {
  LAROD_NEED("Job request", jobReq, false);
  auto buffers = Snapshot("Input", tensors, numTensors);
  if (!buffers.ok()) return Fail(error, buffers.failure(), false);
  jobReq->job.inputs = std::move(*buffers);
  return true;
}

bool larodSetJobRequestOutputs(larodJobRequest* jobReq, larodTensor** tensors,
                               const size_t numTensors, larodError** error) {
  LAROD_NEED("Job request", jobReq, false);
  auto buffers = Snapshot("Output", tensors, numTensors);
  if (!buffers.ok()) return Fail(error, buffers.failure(), false);
  jobReq->job.outputs = std::move(*buffers);
  return true;
}

bool larodSetJobRequestPriority(larodJobRequest* jobReq, const uint8_t priority,
                                larodError** error) {
  LAROD_NEED("Job request", jobReq, false);
  if (priority > kHighestPriority) {
    return Fail(
        error,
        BadArgument(fmt::format("Priority {} is greater than {}", priority, kHighestPriority)),
        false);
  }
  jobReq->job.priority = priority;
  return true;
}

bool larodSetJobRequestParams(larodJobRequest* jobReq, const larodMap* params, larodError** error) {
  LAROD_NEED("Job request", jobReq, false);
  if (params == nullptr) {
    jobReq->job.params.clear();
    return true;
  }
  LAROD_NEED("Map", params, false);
  jobReq->job.params = params->params;
  return true;
}

bool larodRunJob(larodConnection* conn, const larodJobRequest* jobReq, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  LAROD_NEED("Job request", jobReq, false);
  if (WaitsForItself(conn, "larodRunJob", error)) return false;
  const auto done = conn->session->Run(jobReq->job);
  return done.ok() ? true : Fail(error, done.failure(), false);
}

bool larodRunJobAsync(larodConnection* conn, const larodJobRequest* jobReq,
                      larodRunJobCallback callback, void* userData, larodError** error) {
  LAROD_NEED_CONNECTION(conn, false);
  LAROD_NEED("Job request", jobReq, false);
  if (callback == nullptr) return Fail(error, BadHandle("Callback", nullptr), false);
  const auto queued = conn->session->RunAsync(jobReq->job, [=](Outcome<Nothing> done) {
    larodError* failed = nullptr;
    if (!done.ok()) SetError(&failed, done.failure());
    callback(userData, failed);
    larodClearError(&failed);
  });
  return queued.ok() ? true : Fail(error, queued.failure(), false);
}
