// SPDX-License-Identifier: Apache-2.0
// Every function of the library with what it is made for, and with each handle it takes exchanged
// for NULL and for one that was destroyed: success, then an error with a text, and no crash.
#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <set>

#include "larod_testing.h"
#include "versions.h"

namespace dlpu::larod_testing {
namespace {

// Waits for one callback.
struct Called {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false;
  void Wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  }
  void Set() {
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_all();
  }
};
void OnJob(void* data, larodError*) { static_cast<Called*>(data)->Set(); }
void OnModel(larodModel* model, void* data, larodError*) {
  larodDestroyModel(&model);
  static_cast<Called*>(data)->Set();
}

// One of everything, and one of everything that is gone.
struct Kit {
  Kit() : job(camera, camera.Load(DigitsModel(), "axis-a8-dlpu-tflite")) {
    job.UseFiles({Bytes(784)});
    EXPECT_TRUE(job.MakeRequest());
    device = camera.Device("axis-a8-dlpu-tflite");
    map = larodCreateMap(error);
    EXPECT_TRUE(larodMapSetStr(map, "str", "a", error) && larodMapSetInt(map, "int", 1, error) &&
                larodMapSetIntArr2(map, "two", 1, 2, error) &&
                larodMapSetIntArr4(map, "four", 1, 2, 3, 4, error));
    {
      Camera other(nullptr);
      gone_conn = other.conn;
      gone_device = other.Device("cpu-tflite");
    }
    larodModel* model = camera.Load(AddModel(), "cpu-tflite");
    gone_model = model;
    larodDestroyModel(&model);
    spares = larodCreateTensors(kSpares, error);
    for (size_t i = 0; i < kSpares; ++i) {
      EXPECT_TRUE(larodSetTensorFd(spares[i], file.fd(), error));
    }
    larodTensor** tensors = larodCreateTensors(1, error);
    gone_tensor = tensors[0];
    EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 1, error));
    larodMap* old_map = larodCreateMap(error);
    gone_map = old_map;
    larodDestroyMap(&old_map);
    larodJobRequest* request =
        larodCreateJobRequest(job.model, job.inputs, 1, job.outputs, 1, nullptr, error);
    gone_request = request;
    larodDestroyJobRequest(&request);
  }
  ~Kit() {
    larodDestroyMap(&map);
    EXPECT_TRUE(larodDestroyTensors(camera.conn, &spares, kSpares, error));
  }

  bool LoadsAnew(larodConnection* conn, const larodDevice* on, bool later) {
    Called called;
    const bool queued = later && larodLoadModelAsync(conn, file.fd(), on, LAROD_ACCESS_PRIVATE, "",
                                                     nullptr, OnModel, &called, error);
    if (queued) called.Wait();
    if (later) return queued;
    larodModel* model =
        larodLoadModel(conn, file.fd(), on, LAROD_ACCESS_PRIVATE, "", nullptr, error);
    const bool loaded = model != nullptr;
    larodDestroyModel(&model);
    return loaded;
  }
  bool Allocates(larodConnection* conn, const larodModel* of, bool inputs) {
    size_t count = 0;
    const auto alloc = inputs ? larodAllocModelInputs : larodAllocModelOutputs;
    larodTensor** tensors = alloc(conn, of, 0, &count, nullptr, error);
    return tensors != nullptr && larodDestroyTensors(conn, &tensors, count, error);
  }
  bool Creates(const larodModel* of, bool inputs) {
    size_t count = 0;
    larodTensor** tensors = inputs ? larodCreateModelInputs(of, &count, error)
                                   : larodCreateModelOutputs(of, &count, error);
    return tensors != nullptr && larodDestroyTensors(nullptr, &tensors, count, error);
  }
  bool Frees(size_t* sizes) {
    free(sizes);
    return sizes != nullptr;
  }
  bool Tracks(larodConnection* conn, larodTensor* tensor) {
    if (tensor == job.inputs[0]) tensor = spares[next_spare++];  // it is tracked once only
    return larodTrackTensor(conn, tensor, error);
  }
  bool Queues(larodConnection* conn, const larodJobRequest* request) {
    Called called;
    const bool queued = larodRunJobAsync(conn, request, OnJob, &called, error);
    if (queued) called.Wait();
    return queued;
  }
  bool Makes(larodModel* model, larodTensor* input) {
    larodTensor* inputs[1] = {input};
    larodJobRequest* request =
        larodCreateJobRequest(model, inputs, 1, job.outputs, 1, nullptr, error);
    const bool made = request != nullptr;
    larodDestroyJobRequest(&request);
    return made;
  }

  Camera camera{"artpec8"};
  Error error;
  Job job;
  File file{DigitsModel()}, output;
  const larodDevice* device = nullptr;
  larodMap* map = nullptr;
  static constexpr size_t kSpares = 8;
  larodTensor** spares = nullptr;  // with a descriptor, to be tracked
  size_t next_spare = 0;
  larodConnection* gone_conn = nullptr;
  const larodDevice* gone_device = nullptr;
  larodModel* gone_model = nullptr;
  larodTensor* gone_tensor = nullptr;
  larodMap* gone_map = nullptr;
  larodJobRequest* gone_request = nullptr;
};

template <typename Handle>
struct Use {
  const char* function;
  bool (*works)(Kit&, Handle);
};

const Use<larodConnection*> kOfConnections[] = {
    {"larodGetNumSessions",
     [](Kit& k, larodConnection* c) {
       uint64_t count = 0;
       return larodGetNumSessions(c, &count, k.error) && count >= 1;
     }},
    {"larodGetDevice",
     [](Kit& k, larodConnection* c) {
       return larodGetDevice(c, "cpu-tflite", 0, k.error) != nullptr;
     }},
    {"larodListDevices",
     [](Kit& k, larodConnection* c) {
       size_t count = 0;
       return larodListDevices(c, &count, k.error) != nullptr && count == 7;
     }},
    {"larodLoadModel", [](Kit& k, larodConnection* c) { return k.LoadsAnew(c, k.device, false); }},
    {"larodLoadModelAsync",
     [](Kit& k, larodConnection* c) { return k.LoadsAnew(c, k.device, true); }},
    {"larodGetModel",
     [](Kit& k, larodConnection* c) {
       larodModel* model = larodGetModel(c, larodGetModelId(k.job.model, nullptr), k.error);
       const bool found = model != nullptr;
       larodDestroyModel(&model);
       return found;
     }},
    {"larodGetModels",
     [](Kit& k, larodConnection* c) {
       size_t count = 0;
       larodModel** models = larodGetModels(c, &count, k.error);
       const bool found = models != nullptr && count >= 1;
       larodDestroyModels(&models, count);
       return found;
     }},
    {"larodDeleteModel",
     [](Kit& k, larodConnection* c) {
       larodModel* model = k.camera.Load(AddModel(), "cpu-tflite");
       const bool deleted = larodDeleteModel(c, model, k.error);
       larodDestroyModel(&model);
       return deleted;
     }},
    {"larodExportModel",
     [](Kit& k, larodConnection* c) {
       return larodExportModel(c, k.file.fd(), k.output.fd(), k.device, nullptr, k.error);
     }},
    {"larodAllocModelInputs",
     [](Kit& k, larodConnection* c) { return k.Allocates(c, k.job.model, true); }},
    {"larodAllocModelOutputs",
     [](Kit& k, larodConnection* c) { return k.Allocates(c, k.job.model, false); }},
    {"larodTrackTensor", [](Kit& k, larodConnection* c) { return k.Tracks(c, k.job.inputs[0]); }},
    {"larodRunJob",
     [](Kit& k, larodConnection* c) { return larodRunJob(c, k.job.request, k.error); }},
    {"larodRunJobAsync", [](Kit& k, larodConnection* c) { return k.Queues(c, k.job.request); }},
};

const Use<const larodDevice*> kOfDevices[] = {
    {"larodGetDeviceName",
     [](Kit& k, const larodDevice* d) { return larodGetDeviceName(d, k.error) != nullptr; }},
    {"larodGetDeviceInstance",
     [](Kit& k, const larodDevice* d) {
       uint32_t instance = 1;
       return larodGetDeviceInstance(d, &instance, k.error) && instance == 0;
     }},
    {"larodLoadModel",
     [](Kit& k, const larodDevice* d) { return k.LoadsAnew(k.camera.conn, d, false); }},
    {"larodLoadModelAsync",
     [](Kit& k, const larodDevice* d) { return k.LoadsAnew(k.camera.conn, d, true); }},
    {"larodExportModel",
     [](Kit& k, const larodDevice* d) {
       return larodExportModel(k.camera.conn, k.file.fd(), k.output.fd(), d, nullptr, k.error);
     }},
};

const Use<larodModel*> kOfModels[] = {
    {"larodGetModelId",
     [](Kit& k, larodModel* m) { return larodGetModelId(m, k.error) != LAROD_INVALID_MODEL_ID; }},
    {"larodGetModelDevice",
     [](Kit& k, larodModel* m) { return larodGetModelDevice(m, k.error) != nullptr; }},
    {"larodGetModelSize", [](Kit& k, larodModel* m) { return larodGetModelSize(m, k.error) > 0; }},
    {"larodGetModelName",
     [](Kit& k, larodModel* m) { return larodGetModelName(m, k.error) != nullptr; }},
    {"larodGetModelAccess",
     [](Kit& k, larodModel* m) { return larodGetModelAccess(m, k.error) != LAROD_ACCESS_INVALID; }},
    {"larodGetModelNumInputs",
     [](Kit& k, larodModel* m) { return larodGetModelNumInputs(m, k.error) == 1; }},
    {"larodGetModelNumOutputs",
     [](Kit& k, larodModel* m) { return larodGetModelNumOutputs(m, k.error) == 1; }},
    {"larodGetModelInputByteSizes",
     [](Kit& k, larodModel* m) {
       return k.Frees(larodGetModelInputByteSizes(m, nullptr, k.error));
     }},
    {"larodGetModelOutputByteSizes",
     [](Kit& k, larodModel* m) {
       return k.Frees(larodGetModelOutputByteSizes(m, nullptr, k.error));
     }},
    {"larodDeleteModel",
     [](Kit& k, larodModel* m) {
       const bool good = m == k.job.model;  // that one is still needed
       if (good) m = k.camera.Load(AddModel(), "cpu-tflite");
       const bool deleted = larodDeleteModel(k.camera.conn, m, k.error);
       if (good) larodDestroyModel(&m);
       return deleted;
     }},
    {"larodCreateModelInputs", [](Kit& k, larodModel* m) { return k.Creates(m, true); }},
    {"larodCreateModelOutputs", [](Kit& k, larodModel* m) { return k.Creates(m, false); }},
    {"larodAllocModelInputs",
     [](Kit& k, larodModel* m) { return k.Allocates(k.camera.conn, m, true); }},
    {"larodAllocModelOutputs",
     [](Kit& k, larodModel* m) { return k.Allocates(k.camera.conn, m, false); }},
    {"larodCreateJobRequest", [](Kit& k, larodModel* m) { return k.Makes(m, k.job.inputs[0]); }},
    {"larodSetJobRequestModel",
     [](Kit& k, larodModel* m) { return larodSetJobRequestModel(k.job.request, m, k.error); }},
};

const Use<larodTensor*> kOfTensors[] = {
    {"larodSetTensorDims",
     [](Kit& k, larodTensor* t) {
       const larodTensorDims dims = {{1, 28, 28, 1}, 4};
       return larodSetTensorDims(t, &dims, k.error);
     }},
    {"larodBuildTensorDims",
     [](Kit& k, larodTensor* t) {
       return larodBuildTensorDims(t, LAROD_TENSOR_LAYOUT_NHWC, 28, 28, 1, k.error);
     }},
    {"larodGetTensorDims",
     [](Kit& k, larodTensor* t) { return larodGetTensorDims(t, k.error) != nullptr; }},
    {"larodSetTensorPitches",
     [](Kit& k, larodTensor* t) {
       const larodTensorPitches pitches = {{784, 784, 28, 1}, 4};
       return larodSetTensorPitches(t, &pitches, k.error);
     }},
    {"larodBuildTensorPitches",
     [](Kit& k, larodTensor* t) {
       return larodBuildTensorPitches(t, LAROD_TENSOR_LAYOUT_NHWC, 28, 28, 1, k.error);
     }},
    {"larodGetTensorPitches",
     [](Kit& k, larodTensor* t) { return larodGetTensorPitches(t, k.error) != nullptr; }},
    {"larodSetTensorDataType",
     [](Kit& k, larodTensor* t) {
       return larodSetTensorDataType(t, LAROD_TENSOR_DATA_TYPE_INT8, k.error);
     }},
    {"larodGetTensorDataType",
     [](Kit& k, larodTensor* t) {
       return larodGetTensorDataType(t, k.error) != LAROD_TENSOR_DATA_TYPE_INVALID;
     }},
    {"larodSetTensorLayout",
     [](Kit& k, larodTensor* t) {
       return larodSetTensorLayout(t, LAROD_TENSOR_LAYOUT_NHWC, k.error);
     }},
    {"larodGetTensorLayout",
     [](Kit& k, larodTensor* t) {
       return larodGetTensorLayout(t, k.error) != LAROD_TENSOR_LAYOUT_INVALID;
     }},
    {"larodSetTensorFd",
     [](Kit& k, larodTensor* t) { return larodSetTensorFd(t, k.job.files[0]->fd(), k.error); }},
    {"larodGetTensorFd",
     [](Kit& k, larodTensor* t) { return larodGetTensorFd(t, k.error) != LAROD_INVALID_FD; }},
    {"larodSetTensorFdSize",
     [](Kit& k, larodTensor* t) { return larodSetTensorFdSize(t, 784, k.error); }},
    {"larodGetTensorFdSize",
     [](Kit& k, larodTensor* t) {
       size_t size;
       return larodGetTensorFdSize(t, &size, k.error);
     }},
    {"larodSetTensorFdOffset",
     [](Kit& k, larodTensor* t) { return larodSetTensorFdOffset(t, 0, k.error); }},
    {"larodGetTensorFdOffset",
     [](Kit& k, larodTensor* t) { return larodGetTensorFdOffset(t, k.error) == 0; }},
    {"larodSetTensorFdProps",
     [](Kit& k, larodTensor* t) {
       return larodSetTensorFdProps(t, LAROD_FD_PROP_READWRITE, k.error);
     }},
    {"larodGetTensorFdProps",
     [](Kit& k, larodTensor* t) {
       uint32_t props;
       return larodGetTensorFdProps(t, &props, k.error);
     }},
    {"larodGetTensorName",
     [](Kit& k, larodTensor* t) { return larodGetTensorName(t, k.error) != nullptr; }},
    {"larodGetTensorByteSize",
     [](Kit& k, larodTensor* t) {
       size_t size;
       return larodGetTensorByteSize(t, &size, k.error) && size == 784;
     }},
    {"larodTrackTensor", [](Kit& k, larodTensor* t) { return k.Tracks(k.camera.conn, t); }},
    {"larodCreateJobRequest", [](Kit& k, larodTensor* t) { return k.Makes(k.job.model, t); }},
    {"larodSetJobRequestInputs",
     [](Kit& k, larodTensor* t) {
       return larodSetJobRequestInputs(k.job.request, &t, 1, k.error);
     }},
    {"larodSetJobRequestOutputs",
     [](Kit& k, larodTensor* t) {
       larodTensor* output = t == k.job.inputs[0] ? k.job.outputs[0] : t;
       return larodSetJobRequestOutputs(k.job.request, &output, 1, k.error);
     }},
};

const Use<larodMap*> kOfMaps[] = {
    {"larodMapSetStr", [](Kit& k, larodMap* m) { return larodMapSetStr(m, "str", "b", k.error); }},
    {"larodMapSetInt", [](Kit& k, larodMap* m) { return larodMapSetInt(m, "int", 5, k.error); }},
    {"larodMapSetIntArr2",
     [](Kit& k, larodMap* m) { return larodMapSetIntArr2(m, "two", 5, 6, k.error); }},
    {"larodMapSetIntArr4",
     [](Kit& k, larodMap* m) { return larodMapSetIntArr4(m, "four", 5, 6, 7, 8, k.error); }},
    {"larodMapGetStr",
     [](Kit& k, larodMap* m) { return larodMapGetStr(m, "str", k.error) != nullptr; }},
    {"larodMapGetInt",
     [](Kit& k, larodMap* m) {
       int64_t value;
       return larodMapGetInt(m, "int", &value, k.error);
     }},
    {"larodMapGetIntArr2",
     [](Kit& k, larodMap* m) { return larodMapGetIntArr2(m, "two", k.error) != nullptr; }},
    {"larodMapGetIntArr4",
     [](Kit& k, larodMap* m) { return larodMapGetIntArr4(m, "four", k.error) != nullptr; }},
};

const Use<larodJobRequest*> kOfRequests[] = {
    {"larodSetJobRequestModel",
     [](Kit& k, larodJobRequest* r) { return larodSetJobRequestModel(r, k.job.model, k.error); }},
    {"larodSetJobRequestInputs",
     [](Kit& k, larodJobRequest* r) {
       return larodSetJobRequestInputs(r, k.job.inputs, 1, k.error);
     }},
    {"larodSetJobRequestOutputs",
     [](Kit& k, larodJobRequest* r) {
       return larodSetJobRequestOutputs(r, k.job.outputs, 1, k.error);
     }},
    {"larodSetJobRequestPriority",
     [](Kit& k, larodJobRequest* r) { return larodSetJobRequestPriority(r, 60, k.error); }},
    {"larodSetJobRequestParams",
     [](Kit& k, larodJobRequest* r) { return larodSetJobRequestParams(r, nullptr, k.error); }},
    {"larodRunJob",
     [](Kit& k, larodJobRequest* r) { return larodRunJob(k.camera.conn, r, k.error); }},
    {"larodRunJobAsync", [](Kit& k, larodJobRequest* r) { return k.Queues(k.camera.conn, r); }},
};

// Each function with the good handle, NULL, and the one that is gone.
template <typename Handle, size_t N>
void TryAll(Kit& kit, const Use<Handle> (&uses)[N], Handle good, Handle gone, int gone_code,
            std::set<std::string>* functions) {
  for (const Use<Handle>& use : uses) {
    SCOPED_TRACE(use.function);
    functions->insert(use.function);
    EXPECT_TRUE(use.works(kit, good)) << kit.error.text();
    for (const bool null : {true, false}) {
      EXPECT_FALSE(use.works(kit, null ? nullptr : gone)) << (null ? "NULL" : "destroyed");
      EXPECT_EQ(kit.error.code(), null ? EINVAL : gone_code) << kit.error.text();
      EXPECT_NE(kit.error.text(), "");
    }
  }
}

TEST(LarodMisuse, EveryHandleOfEveryFunction) {
  Kit kit;
  std::set<std::string> tried;
  TryAll(kit, kOfConnections, kit.camera.conn, kit.gone_conn, LAROD_ERROR_CONNECTION, &tried);
  TryAll(kit, kOfDevices, kit.device, kit.gone_device, EINVAL, &tried);
  TryAll(kit, kOfModels, kit.job.model, kit.gone_model, EINVAL, &tried);
  TryAll(kit, kOfTensors, kit.job.inputs[0], kit.gone_tensor, EINVAL, &tried);
  TryAll(kit, kOfMaps, kit.map, kit.gone_map, EINVAL, &tried);
  TryAll(kit, kOfRequests, kit.job.request, kit.gone_request, EINVAL, &tried);
  // Nothing was harmed.
  EXPECT_TRUE(kit.job.MakeRequest());
  EXPECT_TRUE(kit.job.Run()) << kit.camera.error.text();
  EXPECT_EQ(kit.job.Outputs(), RunPlainly(DigitsModel(), {Bytes(784)}, "artpec8"));
  // With that, what the other tests are about and what takes no handle, all that is exported has
  // been tried.
  for (const char* function :
       {"larodClearError", "larodConnect", "larodDisconnect", "larodCreateTensors",
        "larodDestroyTensors", "larodConvertVmemFdToDmabuf", "larodCreateMap", "larodDestroyMap",
        "larodDestroyModel", "larodDestroyModels", "larodDestroyJobRequest"}) {
    tried.insert(function);
  }
  for (const char* function : kVersion1Functions) tried.insert(function);
  for (const char* function : kVersion2Functions) tried.insert(function);
  const auto golden = ReadTextFile("tests/golden/larod_symbols.txt");
  ASSERT_TRUE(golden.ok());
  std::set<std::string> exported;
  for (size_t begin = 0; begin < golden->size();) {
    const size_t end = std::min(golden->find('\n', begin), golden->size());
    if (end > begin) exported.insert(golden->substr(begin, end - begin));
    begin = end + 1;
  }
  EXPECT_EQ(tried, exported);
}

TEST(LarodMisuse, DestroyingNothingDoesNothing) {
  Error error;
  larodClearError(nullptr);
  larodDestroyModel(nullptr);
  larodDestroyModels(nullptr, 3);
  larodDestroyMap(nullptr);
  larodDestroyJobRequest(nullptr);
  EXPECT_TRUE(larodDisconnect(nullptr, error));
  EXPECT_TRUE(larodDestroyTensors(nullptr, nullptr, 3, error));
  larodModel* model = nullptr;
  larodModel** models = nullptr;
  larodMap* map = nullptr;
  larodJobRequest* request = nullptr;
  larodConnection* conn = nullptr;
  larodTensor** tensors = nullptr;
  larodDestroyModel(&model);
  larodDestroyModels(&models, 3);
  larodDestroyMap(&map);
  larodDestroyJobRequest(&request);
  EXPECT_TRUE(larodDisconnect(&conn, error));
  EXPECT_TRUE(larodDestroyTensors(nullptr, &tensors, 3, error));
  EXPECT_EQ(error.code(), 0);
}

TEST(LarodMisuse, VersionsOneAndTwo) {
  const Camera camera("artpec8");
  EXPECT_EQ(MisuseVersion1(), 0) << "the line in version_1.c";
  EXPECT_EQ(MisuseVersion2(), 0) << "the line in version_2.c";
}

}  // namespace
}  // namespace dlpu::larod_testing
