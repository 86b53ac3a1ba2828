// SPDX-License-Identifier: Apache-2.0
// Asks for metrics.
#include "larod/daemon/metrics_client.h"

#include "larod/wire/channel.h"
#include "larod/wire/codec.h"

namespace dlpu::larod {

Result<std::string> MetricsOf(const std::string& path) {
  DLPU_TRY(Fd socket, ConnectTo(path));
  Channel channel(std::move(socket));
  DLPU_RETURN_IF_ERROR(channel.Send(MessageType::kMetrics, {}));
  DLPU_TRY(const Message answer, channel.Receive());
  Reader reader(answer.contents);
  if (const auto failure = GetStatus(reader)) return InvalidError(failure->message);
  std::string text = reader.GetText(kMostContents);
  if (!reader.Done()) return InvalidError(path + ": the answer is not of this release");
  return text;
}

}  // namespace dlpu::larod
