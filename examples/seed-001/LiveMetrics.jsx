import React, { useState, useEffect } from 'react';
import { LLMEvalStreamClient } from 'llm-eval-sdk';

function LiveMetrics() {
  const [metrics, setMetrics] = useState(null);
  
  useEffect(() => {
    const streamClient = new LLMEvalStreamClient('http://localhost:8000');
    
    const stopMetrics = streamClient.streamMetrics((data) => {
      if (data.event === 'metrics_update') {
        setMetrics(data.data);
      }
    });
    
    return () => stopMetrics();
  }, []);
  
  return (
    <div>
      {metrics && (
        <div>
          <h3>Live Metrics</h3>
          <p>Total Traces: {metrics.total_traces}</p>
          <p>Acceptance Rate: {metrics.acceptance_rate}%</p>
          <p>Avg Response Time: {metrics.avg_response_time}ms</p>
        </div>
      )}
    </div>
  );
}
